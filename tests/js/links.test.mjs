import assert from "node:assert/strict";
import { test } from "node:test";

import { safeHref } from "../../voice/static/voice/links.js";

const BASE = "https://example.org/help/";

test("web addresses and paths of this site are linked", () => {
  assert.equal(safeHref("https://other.example/a", BASE), "https://other.example/a");
  assert.equal(safeHref("/help/opening-hours/", BASE), "https://example.org/help/opening-hours/");
});

for (const url of ["javascript:alert(1)", " JavaScript:alert(1)", "java\nscript:alert(1)", "data:text/html,x", "blob:x", "http://", "", null]) {
  test(`${JSON.stringify(url)} is not`, () => assert.equal(safeHref(url, BASE), null));
}
