import { createHmac } from "node:crypto";

const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";

/**
 * The token of a message's unsubscribe link, as `domain::link` makes it. Mails that carry one wait for the morning, and
 * these tests cannot.
 */
export function unsubscribeToken(secretKey: string, messageId: string): string {
  const id = bytesOf(messageId);
  const derived = createHmac("sha256", Buffer.from(secretKey, "hex")).update("leadward/1/unsubscribe").digest();
  const tag = createHmac("sha256", derived).update(id).digest().subarray(0, 16);
  return Buffer.concat([id, tag]).toString("base64url");
}

/** The 16 bytes of an id such as `msg_01jd…`: 26 digits of base 32. */
function bytesOf(publicId: string): Buffer {
  let value = 0n;
  for (const digit of publicId.slice(publicId.indexOf("_") + 1)) {
    value = value * 32n + BigInt(DIGITS.indexOf(digit));
  }
  return Buffer.from(value.toString(16).padStart(32, "0"), "hex");
}
