// Reads one JSON line {secret, headers, body (base64)} and verifies the call with the reference
// library of Standard Webhooks. Says why, and exits with 0 when the signature is right, 1 when it
// is not, 2 when the question itself is wrong.
import { readFileSync } from "node:fs";
import { Webhook, WebhookVerificationError } from "standardwebhooks";

function read() {
  const { secret, headers, body } = JSON.parse(readFileSync(0, "utf8"));
  // Without whsec_ our secrets are raw bytes, where the library would expect base64.
  const webhook = secret.startsWith("whsec_")
    ? new Webhook(secret)
    : new Webhook(new TextEncoder().encode(secret), { format: "raw" });
  return { webhook, headers, body: Buffer.from(body, "base64") };
}

try {
  const { webhook, headers, body } = read();
  webhook.verify(body, headers, { jsonParse: false });
  console.log("right");
} catch (error) {
  console.log(`${error.message}`);
  process.exitCode = error instanceof WebhookVerificationError ? 1 : 2;
}
