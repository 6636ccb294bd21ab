// Where there is no page (a server that renders), the package can be imported and renders its tag.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createElement } from "react";
import { renderToString } from "react-dom/server";

test("the element's module can be imported", async () => {
  const { AvatarError, VasariAvatar } = await import("vasari-avatar");
  assert.equal(typeof VasariAvatar, "function");
  assert.equal(new AvatarError("not_connected", "Away.").code, "not_connected");
});

test("the component renders the tag, and nothing that only the element understands", async () => {
  const { VasariAvatar } = await import("vasari-avatar/react");
  const html = renderToString(createElement(VasariAvatar, { src: "wss://example.org/v1/realtime", apiKey: "secret", tools: [], controls: true, onState() {} }));
  assert.equal(html, '<vasari-avatar src="wss://example.org/v1/realtime"></vasari-avatar>');
});
