/** What happens around a conversation: the page goes out of sight or away, the network comes and goes. */

/**
 * Calls `events.onHidden(hidden)`, `events.onOffline(offline)` and `events.onLeave()` as they happen; returns what ends
 * that. Where there is no page, nothing ever happens.
 */
export function watch({ onHidden, onOffline, onLeave }, world = globalThis) {
  const page = world.document;
  const listeners = [
    [page, "visibilitychange", () => onHidden(page.hidden)],
    [world, "offline", () => onOffline(true)],
    [world, "online", () => onOffline(false)],
    [world, "pagehide", onLeave],
  ].filter(([target]) => target?.addEventListener);
  for (const [target, type, listener] of listeners) target.addEventListener(type, listener);
  return () => listeners.forEach(([target, type, listener]) => target.removeEventListener(type, listener));
}

/** Resolves when the page can be seen and the network is there: at once if so, or where there is no page. */
export async function whenReachable(world = globalThis) {
  const isReachable = () => !world.document?.hidden && world.navigator?.onLine !== false;
  if (isReachable()) return;
  await new Promise((resolve) => {
    const look = () => {
      if (!isReachable()) return;
      unwatch();
      resolve();
    };
    const unwatch = watch({ onHidden: look, onOffline: look, onLeave: () => {} }, world);
  });
}
