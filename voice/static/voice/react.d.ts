import type { ReactElement, ReactNode } from "react";

import type { Ended, Ready, Snapshot, Turn, VoiceClient, VoiceOptions } from "./client.js";

export interface VoiceRealtimeOptions extends VoiceOptions {
  onReady?: (ready: Ready) => void;
  onTurn?: (turn: Turn) => void;
  onEnded?: (ended: Ended) => void;
}

export interface VoiceRealtime
  extends Pick<VoiceClient, "start" | "stop" | "mute" | "sendText" | "interrupt" | "hold" | "resume"> {
  snapshot: Snapshot;
  /** A conversation goes on, or is just beginning. */
  live: boolean;
  /** The visitor waits for an answer, or hears it. */
  answering: boolean;
  client: VoiceClient;
}

export function useVoiceRealtime(options: VoiceRealtimeOptions): VoiceRealtime;

export interface VoiceRealtimeButtonProps extends VoiceRealtimeOptions {
  labels?: Partial<Record<"start" | "stop" | "end" | "resume", string>>;
  className?: string;
  children?: (state: { snapshot: Snapshot; label: string }) => ReactNode;
}

export function VoiceRealtimeButton(props: VoiceRealtimeButtonProps): ReactElement;
