// BullMQ and Bull: node node.mjs (bullmq|bull) COMMAND … with the commands of bench/ours.py.
// BENCH_NODE is the directory where they are installed.
import { appendFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

const [library, command, ...args] = process.argv.slice(2);
const require = createRequire(process.env.BENCH_NODE + '/');
const url = new URL(process.env.BENCH_REDIS);
const connection = { host: url.hostname, port: Number(url.port), maxRetriesPerRequest: null };
const options = { removeOnComplete: true, removeOnFail: true };
const now = () => Number(process.hrtime.bigint());

async function handle(job) {
  if (job.name === 'sleep') await sleep(1000);
  if (job.name === 'stamp') appendFileSync(process.env.BENCH_STAMPS, `${now() - job.data.sent}\n`);
}

function open() {
  if (library === 'bullmq') {
    const { Queue } = require('bullmq');
    return new Queue('bench', { connection, defaultJobOptions: options });
  }
  const Bull = require('bull');
  return new Bull('bench', { redis: { host: connection.host, port: connection.port }, defaultJobOptions: options });
}

const commands = {
  async fill(kind, count) {
    const queue = open();
    await queue.isReady?.() ?? await queue.waitUntilReady();
    const started = performance.now();
    for (let done = 0; done < count; done += 1000) {
      const size = Math.min(1000, count - done);
      await queue.addBulk(Array.from({ length: size }, (_, n) => ({ name: kind, data: { n: done + n } })));
    }
    console.log((performance.now() - started) / 1000);
  },
  async single(count) {
    const queue = open();
    await queue.add('noop', { n: 0 });
    const started = performance.now();
    for (let n = 0; n < count; n++) await queue.add('noop', { n });
    console.log((performance.now() - started) / 1000);
  },
  async pace(count) {
    const queue = open();
    for (let n = 0; n < count; n++) {
      await sleep(5 + Math.random() * 20);
      await queue.add('stamp', { sent: now() });
    }
  },
  async work(slots) {
    if (library === 'bullmq') {
      const { Worker } = require('bullmq');
      new Worker('bench', handle, { connection, concurrency: Number(slots), ...options });
    } else {
      const queue = open();
      queue.process('*', Number(slots), handle);
    }
    await new Promise(() => setInterval(() => {}, 60_000));
  },
};
await commands[command](...args);
if (command !== 'work') process.exit(0);
