// The sandbox as a merchant's engineer has it: credentials, the customer's hand, and a place for notifications.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const FOLDER = process.argv[2];
const PATIENCE_MS = 60_000;

export const CREDENTIALS = JSON.parse(readFileSync(join(FOLDER, 'credentials.json'), 'utf8'));
export const BASE = CREDENTIALS.base_url;

/** The text of a file that credentials.json names. */
export const file = (name) => readFileSync(join(FOLDER, name), 'utf8');

let count = 0;
/** A merchant's number that was never used before. */
export const number = (what) => `JS${what}${Date.now()}${String((count += 1)).padStart(3, '0')}`;

/** The business day in China. */
export const today = (separator = '-') =>
  new Date(Date.now() + 8 * 3600_000).toISOString().slice(0, 10).replaceAll('-', separator);

async function control(path, body) {
  const answer = await fetch(BASE + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.ok(answer.ok, `${path}: HTTP ${answer.status}`);
  return answer.json();
}

/** A fresh payment code of a wallet's. */
export const paymentCode = async (wallet) => (await control(`/sandbox/wallets/${wallet}/code`, {})).auth_code;

/** The customer scans a shown code. */
export const scan = (wallet, payload, confirm = true) => control(`/sandbox/wallets/${wallet}/scan`, { payload, confirm });

/** Lets time pass at once. */
export const pass = (advance_ms) => control('/sandbox/clock', { advance_ms });

/** Takes notifications: `check` gives what one says, or throws; a refused one comes again. */
export async function receiver(check, answer) {
  const taken = [];
  const waiting = [];
  const server = createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', async () => {
      let told = null;
      try {
        told = await check(request.headers, Buffer.concat(chunks).toString('utf8'));
      } catch (error) {
        told = { refused: error };
      }
      const [status, kind, text] = answer(!told.refused);
      response.writeHead(status, { 'content-type': kind }).end(text);
      const reader = waiting.shift();
      if (reader) reader(told);
      else taken.push(told);
    });
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    url: `http://127.0.0.1:${server.address().port}/notified`,
    /** What the next notification says. */
    async next() {
      const told = taken.length
        ? taken.shift()
        : await new Promise((resolve, reject) => {
            const late = setTimeout(() => reject(new Error('no notification came')), PATIENCE_MS);
            waiting.push((told) => {
              clearTimeout(late);
              resolve(told);
            });
          });
      if (told.refused) throw told.refused;
      return told;
    },
    close: () => server.close(),
  };
}
