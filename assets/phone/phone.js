// The wallet: one screen at a time, drawn anew whenever something changes.

import * as camera from './camera.js';
import * as sandbox from './sandbox.js';
import { language, otherLanguage, words, yuan } from './words.js';

const POLL_MS = 700;
// What a wallet is filled up to, in fen.
const FULL = 1_000_000;
const app = document.getElementById('app');

const state = {
  screen: 'choose', // choose | home | scan | history
  wallets: [],
  wallet: null,
  code: null, // { digits, expiresAt, whole }
  digitsShown: false,
  asked: null, // the trade that waits for this customer
  result: null, // { kind, trade }
  trades: [],
  message: null,
  busy: false,
  offline: false,
};
let stopCamera = null;
// Trades that were there before, so that only what happens now is told.
let known = new Map();
// Counts what the customer does: an answer that was asked for before it tells of a world that is gone.
let deeds = 0;

const escaped = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const me = () => state.wallets.find((wallet) => wallet.id === state.wallet);
const seconds = (until) => Math.max(0, Math.ceil((until - sandbox.now()) / 1000));

const ICONS = {
  tick: '<path d="M14 26.5l8 8 14-17"/>',
  cross: '<path d="M16 16l18 18M34 16L16 34"/>',
  clock: '<path d="M25 13v13l8 5"/>',
  back: '<path d="M30 12L17 25l13 13"/>',
};
const icon = (name) => `<svg class="icon" viewBox="0 0 50 50" aria-hidden="true">${ICONS[name]}</svg>`;

const bar = (title, back = true) => `
  <header class="bar">
    ${back ? `<button class="plain" data-do="back" aria-label="${words.back}">${icon('back')}</button>` : '<span></span>'}
    <h1>${escaped(title)}</h1>
    <button class="plain small" data-do="language">${words.language}</button>
  </header>`;
const training = () => `<p class="training">${words.no_money}</p>`;
const note = () => `
  ${state.offline ? `<p class="note bad" role="alert">${words.offline}</p>` : ''}
  ${state.message ? `<p class="note bad" role="alert" id="message">${escaped(state.message)}</p>` : ''}`;

const SCREENS = {
  choose: () => `
    ${bar(words.title, false)}
    <main>
      ${training()}
      ${note()}
      <h2>${words.choose}</h2>
      <ul class="wallets">
        ${state.wallets.map((wallet) => `
          <li><button class="wallet ${wallet.channel}" data-do="choose" data-wallet="${escaped(wallet.id)}">
            <span class="brand">${escaped(BRANDS[wallet.channel] ?? wallet.channel)}</span>
            <span class="who">${escaped(wallet.name)}</span>
            <span class="money">${yuan(wallet.balance)}</span>
          </button></li>`).join('')}
      </ul>
    </main>`,

  home: () => `
    ${bar(`${BRANDS[me().channel] ?? me().channel} · ${me().name}`)}
    <main>
      ${training()}
      ${note()}
      <section class="card code" aria-label="${words.pay_code}">
        <p>${words.show_cashier}</p>
        ${state.code ? `
          <div class="bars" aria-hidden="true">${state.code.bars}</div>
          <div class="qr" role="img" aria-label="${words.pay_code}">${state.code.qr}</div>
          <p class="digits" id="digits">${state.digitsShown ? state.code.digits.replace(/(\d{4})(?=\d)/g, '$1 ') : `${state.code.digits.slice(0, 4)} ••••`}</p>
          <button class="plain" data-do="digits">${state.digitsShown ? words.hide_digits : words.show_digits}</button>
          <p class="left"><span class="track"><span class="run" id="run"></span></span>
            <span id="renews">${words.renews_in(seconds(state.code.expiresAt))}</span></p>` : '<div class="qr empty"></div>'}
      </section>
      <section class="row">
        <button class="tile" data-do="scan">${words.scan}</button>
        <button class="tile" data-do="history">${words.history}</button>
      </section>
      <section class="card balance"><span>${words.balance}</span>
        ${me().balance < FULL ? `<button class="plain" data-do="fill">${words.fill_up}</button>` : ''}
        <strong id="balance">${yuan(me().balance)}</strong></section>
      <label class="card switch"><span>${words.ask_always}</span>
        <input type="checkbox" data-do="ask" ${me().ask_always ? 'checked' : ''}></label>
    </main>`,

  scan: () => `
    ${bar(words.scan)}
    <main>
      ${training()}
      ${note()}
      <div class="finder ${stopCamera ? 'on' : ''}"><video id="video" playsinline muted></video><p>${stopCamera ? words.aim : ''}</p></div>
      ${camera.isThere()
        ? `<button class="main" data-do="camera">${stopCamera ? words.stop_camera : words.camera}</button>`
        : `<p class="note">${words.no_camera}</p>`}
      <label class="main other">${state.busy ? words.reading : words.picture}
        <input type="file" accept="image/*" capture="environment" id="picture" ${state.busy ? 'disabled' : ''}></label>
      <form class="paste" data-do="paste">
        <label for="payload">${words.paste}</label>
        <div><input id="payload" name="payload" autocomplete="off" autocapitalize="off" spellcheck="false" required>
          <button class="main" type="submit">${words.open}</button></div>
      </form>
    </main>`,

  history: () => `
    ${bar(words.history)}
    <main>
      ${training()}
      ${note()}
      ${state.trades.length === 0 ? `<p class="note">${words.empty}</p>` : ''}
      <ul class="trades">
        ${state.trades.map((trade) => `
          <li class="${trade.paid_at || isOpen(trade) ? '' : 'over'}">
            <span class="what">${escaped(trade.subject)}</span>
            <span class="money">${trade.paid_at ? yuan(-trade.amount) : yuan(trade.amount)}</span>
            <time>${new Date(trade.created_at).toLocaleString(language === 'zh' ? 'zh-CN' : 'en-GB')}</time>
            <span class="how">${how(trade)}</span>
            <span class="number">${escaped(trade.out_trade_no)}</span>
          </li>`).join('')}
      </ul>
    </main>`,
};

// What became of a trade, in a few words.
function how(trade) {
  if (trade.state === 'SUCCESS' && trade.refunded > 0) return words.part_refunded(yuan(trade.refunded));
  if (trade.state === 'CLOSED') return words[closed(trade)];
  if (trade.state === 'REVERSED' && !trade.paid_at) return words.closed;
  return words.state[trade.state] ?? escaped(trade.state);
}

const isOpen = (trade) => trade.state === 'CREATED' || trade.state === 'WAIT_BUYER_PAY';

// Why an unpaid trade ended.
const closed = (trade) => trade.refused ? 'refused' : sandbox.now() >= trade.expires_at ? 'ran_out' : 'closed';

const BRANDS = { alipay: 'Alipay 支付宝', wechatpay: 'WeChat Pay 微信支付', unionpay: 'UnionPay 云闪付' };

const sheet = (trade) => `
  <div class="veil"><section class="sheet" role="dialog" aria-modal="true" aria-label="${words.pay_question}">
    <p>${escaped(trade.subject)}</p>
    <strong class="amount" id="asked-amount">${yuan(trade.amount)}</strong>
    ${note()}
    <p class="left" id="password-left">${words.password_left(seconds(trade.expires_at))}</p>
    <button class="main" data-do="confirm" ${state.busy ? 'disabled' : ''}>${words.pay}</button>
    <button class="main other" data-do="refuse" ${state.busy ? 'disabled' : ''}>${words.refuse}</button>
  </section></div>`;

const RESULTS = {
  paid: ['good', 'tick'], refused: ['bad', 'cross'], closed: ['bad', 'cross'],
  ran_out: ['late', 'clock'], reversed: ['late', 'clock'],
};
const result = ({ kind, trade }) => `
  <div class="veil"><section class="sheet result ${RESULTS[kind][0]}" role="alertdialog" aria-modal="true" id="result" data-kind="${kind}">
    <span class="mark">${icon(RESULTS[kind][1])}</span>
    <h2>${words[kind]}</h2>
    <strong class="amount">${yuan(trade.amount)}</strong>
    <p>${escaped(trade.subject)}</p>
    <p>${words[`${kind}_detail`]}</p>
    <button class="main" data-do="done" autofocus>${words.done}</button>
  </section></div>`;

function draw() {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  document.title = words.title;
  document.body.className = me()?.channel ?? '';
  const typed = document.getElementById('payload')?.value;
  // The camera's picture must not be drawn away.
  const video = stopCamera ? document.getElementById('video') : null;
  const focused = document.activeElement?.dataset?.do ?? document.activeElement?.id;
  app.innerHTML = SCREENS[state.screen]() + (state.result ? result(state.result) : state.asked ? sheet(state.asked) : '');
  if (video) document.getElementById('video')?.replaceWith(video);
  if (typed && document.getElementById('payload')) document.getElementById('payload').value = typed;
  const dialog = app.querySelector('.sheet .main');
  const again = focused ? app.querySelector(`[data-do="${CSS.escape(focused)}"], #${CSS.escape(focused)}`) : null;
  (dialog ?? again)?.focus({ preventScroll: true });
  fitCodes();
  tick();
}

// Only what counts down.
function tick() {
  const put = (id, text) => {
    const element = document.getElementById(id);
    if (element) element.textContent = text;
  };
  if (state.code) {
    put('renews', words.renews_in(seconds(state.code.expiresAt)));
    const run = document.getElementById('run');
    if (run) run.style.width = `${Math.max(0, Math.min(100, ((state.code.expiresAt - sandbox.now()) / state.code.whole) * 100))}%`;
  }
  if (state.asked) put('password-left', words.password_left(seconds(state.asked.expires_at)));
}

// Runs a call, tells what went wrong, and draws what came of it.
async function attempt(job) {
  state.busy = true;
  deeds += 1;
  state.message = null;
  try {
    await job();
    state.offline = false;
  } catch (error) {
    if (error instanceof sandbox.Offline) state.offline = true;
    else state.message = error instanceof sandbox.Refused ? (words.problems[error.code] ?? error.message) : words.failed;
  }
  state.busy = false;
  draw();
}

async function renewCode() {
  const { auth_code: digits, expires_at: end } = await sandbox.freshCode(state.wallet);
  const expiresAt = Date.parse(end);
  const asked = sandbox.now();
  const [qr, bars] = await Promise.all([sandbox.picture('qr', digits), sandbox.picture('bars', digits)]);
  state.code = { digits, expiresAt, whole: Math.max(1000, expiresAt - asked), qr, bars };
}

// Whole pixels to a module: a scaled code has modules of unequal width, which readers trip over.
function fitCodes() {
  for (const [selector, limit] of [['.bars svg', app.clientWidth - 64], ['.qr svg', Math.min(250, app.clientWidth - 64)]]) {
    const svg = app.querySelector(selector);
    if (!svg) continue;
    const modules = svg.viewBox.baseVal.width;
    svg.style.width = `${Math.max(1, Math.floor(limit / modules)) * modules}px`;
  }
}

const remember = (trades) => {
  known = new Map(trades.map((trade) => [trade.id, trade.state]));
};

// What the provider did since the last look.
function compare(trades) {
  for (const trade of trades) {
    const before = known.get(trade.id);
    if (before === trade.state) continue;
    // Whatever comes of it, a code that was sent is used up.
    if (before === undefined && trade.by_code && state.code) state.code.spent = true;
    const open = before === undefined || before === 'WAIT_BUYER_PAY' || before === 'CREATED';
    if (trade.state === 'WAIT_BUYER_PAY') state.asked = trade;
    else if (trade.state === 'SUCCESS' && open) finish('paid', trade);
    else if (trade.state === 'CLOSED' && open && before !== undefined) finish(closed(trade), trade);
    else if (trade.state === 'REVERSED' && before === 'SUCCESS') finish('reversed', trade);
    else if (trade.state === 'REVERSED' && open && before !== undefined) finish('closed', trade);
  }
  if (state.asked && !trades.some((trade) => trade.id === state.asked.id && trade.state === 'WAIT_BUYER_PAY')) state.asked = null;
  remember(trades);
}

function finish(kind, trade) {
  state.asked = null;
  state.result = { kind, trade };
  if (state.screen === 'scan') leaveScan();
  if (kind === 'paid') navigator.vibrate?.(80);
}

function leaveScan() {
  stopCamera?.();
  stopCamera = null;
  state.screen = 'home';
}

async function look() {
  const before = JSON.stringify([state.wallets, state.trades, state.asked?.id, state.result?.kind, state.offline]);
  const deed = deeds;
  let renewed = false;
  try {
    const wallets = await sandbox.wallets();
    const there = wallets.some((wallet) => wallet.id === state.wallet);
    const trades = there ? await sandbox.history(state.wallet) : [];
    if (deed !== deeds) return;
    state.wallets = wallets;
    state.offline = false;
    if (state.wallet) {
      if (!me()) {
        state.wallet = null;
        state.screen = 'choose';
      } else {
        state.trades = trades;
        compare(state.trades);
        const over = !state.code || state.code.spent || sandbox.now() >= state.code.expiresAt - 500;
        if (state.screen === 'home' && over) {
          await renewCode();
          renewed = true;
        }
      }
    }
  } catch (error) {
    if (error instanceof sandbox.Offline) state.offline = true;
  }
  const after = JSON.stringify([state.wallets, state.trades, state.asked?.id, state.result?.kind, state.offline]);
  if (renewed || before !== after) draw();
  else tick();
}

const pay = (payload) => attempt(async () => {
  const trade = await sandbox.scan(state.wallet, payload);
  leaveScan();
  known.set(trade.id, trade.state);
  if (trade.state === 'WAIT_BUYER_PAY') state.asked = trade;
  else if (trade.state === 'SUCCESS') finish('paid', trade);
});

const DEEDS = {
  language: () => {
    otherLanguage();
    draw();
  },
  back: () => {
    state.message = null;
    if (state.screen === 'home') {
      state.screen = 'choose';
      state.wallet = null;
      state.code = null;
      history.replaceState(null, '', '/phone');
    } else if (state.screen === 'scan') leaveScan();
    else state.screen = 'home';
    draw();
  },
  choose: (button) => open(button.dataset.wallet),
  scan: () => {
    state.screen = 'scan';
    draw();
  },
  history: () => {
    state.screen = 'history';
    draw();
  },
  digits: () => {
    state.digitsShown = !state.digitsShown;
    draw();
  },
  ask: (box) => attempt(async () => {
    await sandbox.askAlways(state.wallet, box.checked);
    state.wallets = await sandbox.wallets();
  }),
  fill: () => attempt(async () => {
    await sandbox.fill(state.wallet, FULL);
    state.wallets = await sandbox.wallets();
  }),
  camera: () => {
    if (stopCamera) {
      stopCamera();
      stopCamera = null;
      return draw();
    }
    return attempt(async () => {
      try {
        stopCamera = await camera.watch(document.getElementById('video'), (text) => {
          stopCamera = null;
          pay(text);
        });
      } catch {
        throw new sandbox.Refused(words.no_camera);
      }
    });
  },
  confirm: () => attempt(async () => {
    const trade = state.asked;
    const paid = await sandbox.confirm(trade.id);
    known.set(trade.id, 'SUCCESS');
    finish('paid', paid ?? trade);
    state.wallets = await sandbox.wallets();
    state.trades = await sandbox.history(state.wallet);
  }),
  refuse: () => attempt(async () => {
    const trade = state.asked;
    await sandbox.refuse(trade.id);
    known.set(trade.id, 'CLOSED');
    finish('refused', trade);
  }),
  done: () => {
    state.result = null;
    draw();
  },
};

async function open(wallet) {
  await attempt(async () => {
    state.wallets = await sandbox.wallets();
    if (!state.wallets.some((known) => known.id === wallet)) return;
    state.wallet = wallet;
    state.trades = await sandbox.history(wallet);
    remember(state.trades);
    state.asked = state.trades.find((trade) => trade.state === 'WAIT_BUYER_PAY') ?? null;
    state.screen = 'home';
    await renewCode();
    history.replaceState(null, '', `/phone?wallet=${encodeURIComponent(wallet)}`);
  });
}

app.addEventListener('click', (event) => {
  const element = event.target.closest('[data-do]');
  if (element && element.tagName === 'BUTTON') DEEDS[element.dataset.do]?.(element);
});
app.addEventListener('change', async (event) => {
  if (event.target.dataset.do === 'ask') return DEEDS.ask(event.target);
  const [picture] = event.target.files ?? [];
  if (!picture) return;
  let text;
  await attempt(async () => {
    [text] = await camera.readPicture(picture);
    if (!text) throw new sandbox.Refused(words.no_code);
  });
  if (text) await pay(text);
});
app.addEventListener('submit', (event) => {
  event.preventDefault();
  const payload = new FormData(event.target).get('payload').trim();
  if (payload) pay(payload);
});
addEventListener('resize', fitCodes);
addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  if (state.result) DEEDS.done();
  else if (!state.asked && state.screen !== 'choose') DEEDS.back();
});

const asked = new URLSearchParams(location.search).get('wallet');
await (asked ? open(asked) : look());
draw();
const forever = async () => {
  if (!document.hidden && !state.busy) await look();
  setTimeout(forever, POLL_MS);
};
setTimeout(forever, POLL_MS);
