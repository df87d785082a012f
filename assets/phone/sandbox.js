// The sandbox's control calls, as /sandbox/openapi.json describes them.

export class Refused extends Error {
  constructor(detail, code) {
    super(detail);
    this.code = code;
  }
}
export class Offline extends Error {}

// How far the sandbox's clock is ahead of the phone's: codes and orders end by the sandbox's.
let ahead = 0;
export const now = () => Date.now() + ahead;

async function call(method, path, body, type = 'application/json') {
  let answer;
  try {
    answer = await fetch(path, { method, body, headers: body === undefined ? {} : { 'content-type': type } });
  } catch (error) {
    throw new Offline(error.message);
  }
  const told = Number(answer.headers.get('sandbox-now'));
  if (told > 0) ahead = told - Date.now();
  const text = await answer.text();
  if (!answer.ok) {
    let [detail, code] = [text, ''];
    try {
      ({ detail = text, code = '' } = JSON.parse(text));
    } catch {
      // Not one of the sandbox's own problems: its words are all there is.
    }
    throw new Refused(detail, code);
  }
  return text ? JSON.parse(text) : undefined;
}

const at = (wallet) => `/sandbox/wallets/${encodeURIComponent(wallet)}`;
const json = JSON.stringify;

export const wallets = () => call('GET', '/sandbox/wallets');
export const freshCode = (wallet) => call('POST', `${at(wallet)}/code`);
export const askAlways = (wallet, on) => call('PATCH', at(wallet), json({ ask_always: on }));
export const fill = (wallet, fen) => call('PATCH', at(wallet), json({ balance: fen }));
export const scan = (wallet, payload) => call('POST', `${at(wallet)}/scan`, json({ payload, confirm: null }));
export const confirm = (trade) => call('POST', `/sandbox/trades/${encodeURIComponent(trade)}/confirm`);
export const refuse = (trade) => call('POST', `/sandbox/trades/${encodeURIComponent(trade)}/refuse`);

// A code as SVG; `kind` is qr or bars.
export async function picture(kind, text) {
  const answer = await fetch(`/phone/${kind}.svg?text=${encodeURIComponent(text)}`).catch(() => null);
  return answer?.ok ? answer.text() : '';
}

// The newest first.
export async function history(wallet) {
  const trades = await call('GET', `/sandbox/trades?latest=50&wallet=${encodeURIComponent(wallet)}`);
  return trades.sort((a, b) => b.created_at - a.created_at);
}

// What the codes in a JPEG say.
export async function read(jpeg) {
  const { codes } = await call('POST', '/phone/read', jpeg, 'image/jpeg');
  return codes.map((code) => code.text);
}
