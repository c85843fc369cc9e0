import assert from "node:assert/strict";
import { test } from "node:test";

import { CLIENT_MESSAGES, SERVER_MESSAGES, decode, encode } from "../../voice/static/voice/protocol.js";
import { examples, messages } from "./documented.mjs";

test("what we may say is what the protocol's page says, field by field", () => {
  assert.deepEqual(CLIENT_MESSAGES, messages("Client to server"));
});

test("what we may hear is what the protocol's page says, field by field", () => {
  const fields = Object.entries(SERVER_MESSAGES).map(([type, kinds]) => [type, Object.keys(kinds)]);
  assert.deepEqual(Object.fromEntries(fields), messages("Server to client"));
});

for (const example of examples("Client to server")) {
  const { type, ...fields } = JSON.parse(example);
  test(`the documented ${type} can be said`, () => {
    assert.deepEqual(JSON.parse(encode(type, fields)), JSON.parse(example));
  });
}

for (const example of examples("Server to client")) {
  test(`the documented ${JSON.parse(example).type} is understood`, () => {
    assert.deepEqual(decode(example), JSON.parse(example));
  });
}

test("an unknown message or field cannot be said", () => {
  assert.throws(() => encode("session.update"), TypeError);
  assert.throws(() => encode("interrupt", { now: true }), TypeError);
});

for (const frame of [
  "", "nonsense", "null", "[]", '"text"', "{}", '{"type": "future.message"}', '{"type": "toString"}',
  '{"type": "speech.started"}', '{"type": "speech.started", "item_id": 7}',
  '{"type": "context", "sources": {}, "prefetched": true, "waited_ms": 0}',
]) {
  test(`a frame that is no message of ours is passed over: ${frame || "(empty)"}`, () => {
    assert.equal(decode(frame), null);
  });
}

test("a field that a newer server adds does no harm", () => {
  assert.equal(decode('{"type": "speech.started", "item_id": "i", "confidence": 1}').item_id, "i");
});
