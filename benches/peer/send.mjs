// Sends mails as most programs in this field do: a job for each in BullMQ, sent by Nodemailer's pool.
import { readFileSync } from "node:fs";
import { Queue, Worker } from "bullmq";
import nodemailer from "nodemailer";

const redis = new URL(process.env.REDIS_URL);
const connection = { host: redis.hostname, port: Number(redis.port || 6379), db: Number(redis.pathname.slice(1) || 0) };
const name = `bench-${process.pid}`;
const mails = readFileSync(process.env.MAILS, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));

const queue = new Queue(name, { connection });
for (let first = 0; first < mails.length; first += 1000) {
  await queue.addBulk(mails.slice(first, first + 1000).map((data) => ({ name: "mail", data, opts: { removeOnComplete: true } })));
}

const smtp = new URL(process.env.SMTP_URL);
const transport = nodemailer.createTransport({
  host: smtp.hostname,
  port: Number(smtp.port),
  pool: true,
  maxConnections: 32,
  maxMessages: Infinity,
  ignoreTLS: true,
});
let left = mails.length;
const worker = new Worker(name, ({ data: { from, to, raw } }) => transport.sendMail({ envelope: { from, to }, raw }), {
  connection,
  concurrency: 64,
});
await new Promise((done, failed) => {
  worker.on("completed", () => --left === 0 && done());
  worker.on("failed", (_, error) => failed(error));
});
await worker.close();
transport.close();
await queue.obliterate({ force: true });
await queue.close();
