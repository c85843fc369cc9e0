import assert from "node:assert/strict";
import { test } from "node:test";

import { Microphone, MicrophoneError, statusOf } from "../../voice/static/voice/microphone.js";

for (const [name, status] of [
  ["NotAllowedError", "refused"], ["SecurityError", "refused"], ["NotFoundError", "missing"],
  ["NotReadableError", "busy"], ["AnythingElse", "busy"],
]) {
  test(`${name} means: ${status}`, () => assert.equal(statusOf({ name }), status));
}

test("a page that is not secure has no microphone, and says so", async () => {
  await assert.rejects(new Microphone({}).open(), (error) => error instanceof MicrophoneError && error.status === "insecure");
});
