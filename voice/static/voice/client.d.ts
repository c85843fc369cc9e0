/** The conversation without its looks. See client.js for what each method does, voice/docs/widget.md for examples. */

export type Phase =
  | "ready" | "connecting" | "listening" | "thinking" | "speaking" | "interrupted" | "reconnecting" | "ended"
  | "unavailable";
export type MicrophoneStatus =
  | "off" | "asking" | "on" | "refused" | "missing" | "busy" | "insecure" | "unloaded" | "lost";

export interface Source {
  readonly n: number;
  readonly title: string;
  /** http(s), a path of the site, or empty. Check it before it becomes a link, all the same. */
  readonly url: string;
}

export interface Line {
  readonly id: string;
  readonly who: "visitor" | "assistant";
  /** Empty where its words are still to come. */
  readonly text: string;
  /** Characters of a spoken answer that were heard; an answer without sound is simply read. */
  readonly heard: number;
  readonly audible: boolean;
  /** It will not grow any more. */
  readonly settled: boolean;
  readonly sources: readonly Source[];
}

export interface Snapshot {
  readonly phase: Phase;
  /** Why it ended: a reason of `session.ending`, or "network", "stale_page", "unloaded". */
  readonly reason: string | null;
  /** When a conversation is possible again, in milliseconds since 1970. */
  readonly retryAt: number | null;
  readonly microphone: MicrophoneStatus;
  readonly muted: boolean;
  /** The page is out of sight, and the microphone rests. */
  readonly away: boolean;
  /** The system took the sound away; `resume` asks for it back. */
  readonly paused: boolean;
  readonly offline: boolean;
  /** The network takes less than the microphone gives: what is said now is not heard. */
  readonly slow: boolean;
  /** Push-to-talk: whether the visitor holds. Null without it. */
  readonly held: boolean | null;
  readonly speaking: boolean;
  readonly asked: boolean;
  readonly lines: readonly Line[];
  readonly sources: readonly Source[];
  readonly notice: string | null;
  /** When it has lasted as long as it may, in milliseconds since 1970. */
  readonly endsAt: number | null;
  readonly expiring: { readonly seconds: number; readonly why: string; readonly endsAt: number } | null;
  readonly sessionId: string | null;
}

export interface Page {
  url: string;
  title: string;
  /** At most 2,048 characters are sent. */
  text?: string;
}

export interface VoiceOptions {
  /** Django's CSRF token, or what returns it. */
  csrfToken: string | (() => string);
  ticketUrl?: string;
  socketUrl?: string;
  captureWorklet?: string;
  playbackWorklet?: string;
  language?: string;
  page?: Page;
  pushToTalk?: boolean;
  /** Version of the consent notice that the visitor was shown. */
  notice?: string;
  /** The server is dialled while the visitor is asked for their microphone; the site must want it. */
  warm?: boolean;
}

export interface Ready {
  sessionId: string;
  provider: string;
}

export interface Turn {
  turn: number;
  outcome: "completed" | "interrupted" | "failed";
  question: string;
  /** What was heard of it. */
  answer: string;
  sources: Source[];
}

export interface Ended {
  reason: string;
  retryAt: number | null;
}

export interface VoiceEvents {
  ready: Ready;
  turn: Turn;
  ended: Ended;
}

export class VoiceClient {
  constructor(options: VoiceOptions);
  /** Calls `listener` after each change; returns what ends that. */
  readonly subscribe: (listener: () => void) => () => void;
  /** The same object until something changes. */
  readonly getSnapshot: () => Snapshot;
  on<Name extends keyof VoiceEvents>(name: Name, listener: (detail: VoiceEvents[Name]) => void): () => void;
  configure(options: Partial<VoiceOptions>): void;
  /** Loudness of the visitor's voice, from 0 to 1. */
  readonly level: number;
  /** What plays the answers, or null outside of a conversation; `level` is loudness from 0 to 1. */
  readonly speaker: { readonly level: number; readonly analyser: AnalyserNode | null } | null;
  /** Call it within a press. */
  start(options?: { microphone?: boolean }): Promise<void>;
  /** Goes on, in writing, with the conversation of a page that was left less than a minute ago. */
  takeUp(sessionId: string): void;
  stop(): void;
  mute(muted: boolean): Promise<void>;
  /** False: it was empty, or came before `retryAt`. */
  sendText(text: string): boolean;
  interrupt(): void;
  hold(held: boolean): Promise<void>;
  resume(): Promise<void>;
}
