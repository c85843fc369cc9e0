/** Resolves when the page can be seen: at once if it can, or where there is no page. */
export async function whenVisible(page = globalThis.document) {
  if (!page?.hidden) return;
  await new Promise((resolve) => {
    const look = () => {
      if (page.hidden) return;
      page.removeEventListener("visibilitychange", look);
      resolve();
    };
    page.addEventListener("visibilitychange", look);
  });
}
