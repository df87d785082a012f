// wechatpay-axios-plugin's day at the sandbox: APIv3. A third argument chooses the platform's `public_key` mode.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import plugin from 'wechatpay-axios-plugin';

import { BASE, CREDENTIALS, file, number, pass, paymentCode, receiver, scan, today } from './house.mjs';

const { Wechatpay, Rsa, Aes, Formatter } = plugin;
const ours = CREDENTIALS.wechatpay;
const certs =
  process.argv[3] === 'public_key'
    ? { [ours.platform_public_key_id]: file(ours.platform_public_key) }
    : { [ours.platform_serial]: file(ours.platform_certificate) };
const headers = { 'Wechatpay-Serial': Object.keys(certs)[0] };
const wxpay = new Wechatpay({
  mchid: ours.mchid,
  serial: ours.merchant_serial,
  privateKey: file(ours.merchant_private_key),
  certs,
  baseURL: `${BASE}/`,
});
const { appid, mchid } = ours;

const inbox = await receiver(
  (given, body) => {
    const message = Formatter.response(given['wechatpay-timestamp'], given['wechatpay-nonce'], body);
    assert.ok(Rsa.verify(message, given['wechatpay-signature'], certs[given['wechatpay-serial']]), 'it is signed');
    const { event_type, resource } = JSON.parse(body);
    const { ciphertext, nonce, associated_data } = resource;
    return { event_type, ...JSON.parse(Aes.AesGcm.decrypt(ciphertext, ours.api_v3_key, nonce, associated_data)) };
  },
  (good) => (good ? [204, 'application/json', ''] : [401, 'application/json', '{"code":"FAIL","message":"signature"}']),
);
const query = (out_trade_no) =>
  wxpay.v3.pay.transactions.outTradeNo.$out_trade_no$.get({ params: { mchid }, out_trade_no, headers });

// A shown code is paid, notified and queried by both numbers.
const native = number('NATIVE');
const order = await wxpay.v3.pay.transactions.native.post(
  { appid, mchid, description: '咖啡 tea', out_trade_no: native, notify_url: inbox.url, amount: { total: 850, currency: 'CNY' } },
  { headers },
);
await scan('wechatpay-1', order.data.code_url);
const told = await inbox.next();
assert.deepEqual([told.event_type, told.out_trade_no, told.amount.total], ['TRANSACTION.SUCCESS', native, 850]);
const state = (await query(native)).data;
assert.equal(state.trade_state, 'SUCCESS');
const { transaction_id } = state;
const same = await wxpay.v3.pay.transactions.id.$transaction_id$.get({ params: { mchid }, transaction_id, headers });
assert.equal(same.data.out_trade_no, native);

// A part goes back, and that is notified too.
const out_refund_no = `${native}R`;
await wxpay.v3.refund.domestic.refunds.post(
  { out_trade_no: native, out_refund_no, notify_url: inbox.url, amount: { refund: 250, total: 850, currency: 'CNY' } },
  { headers },
);
const refund = await wxpay.v3.refund.domestic.refunds.$out_refund_no$.get({ out_refund_no, headers });
assert.deepEqual([refund.data.status, refund.data.amount.refund], ['SUCCESS', 250]);
const gone = await inbox.next();
assert.deepEqual([gone.event_type, gone.out_refund_no, gone.amount.refund], ['REFUND.SUCCESS', out_refund_no, 250]);

// The customer's code over the threshold: the customer has to confirm, and the till reverses.
const large = number('BIG');
await wxpay.v3.pay.transactions.codepay.post(
  {
    appid, mchid, description: 'watch', out_trade_no: large, notify_url: inbox.url,
    amount: { total: 150000, currency: 'CNY' }, payer: { auth_code: await paymentCode('wechatpay-1') },
    scene_info: { store_info: { id: 'store-1' } },
  },
  { headers },
);
assert.equal((await query(large)).data.trade_state, 'USERPAYING');
await pass(20_000);
await wxpay.v3.pay.transactions.outTradeNo.$out_trade_no$.reverse.post({ appid, mchid }, { out_trade_no: large, headers });
assert.equal((await query(large)).data.trade_state, 'REVOKED');

// Closing answers 204, signed over nothing.
const left = number('CLOSE');
await wxpay.v3.pay.transactions.native.post(
  { appid, mchid, description: 'tea', out_trade_no: left, notify_url: inbox.url, amount: { total: 300, currency: 'CNY' } },
  { headers },
);
const closed = await wxpay.v3.pay.transactions.outTradeNo.$out_trade_no$.close.post({ mchid }, { out_trade_no: left, headers });
assert.equal(closed.status, 204);
assert.equal((await query(left)).data.trade_state, 'CLOSED');

// Platform certificates open with the APIv3 key.
const listed = (await wxpay.v3.certificates.get({ headers })).data.data;
assert.ok(listed.length >= 1);
for (const { encrypt_certificate: sealed } of listed) {
  const pem = Aes.AesGcm.decrypt(sealed.ciphertext, ours.api_v3_key, sealed.nonce, sealed.associated_data);
  assert.match(pem, /^-----BEGIN CERTIFICATE-----/);
}

// Both bills: the address is signed, the file's hash is of the text.
const bills = [
  [wxpay.v3.bill.tradebill, { bill_date: today(), bill_type: 'ALL', tar_type: 'GZIP' }, native],
  [wxpay.v3.bill.fundflowbill, { bill_date: today(), account_type: 'BASIC', tar_type: 'GZIP' }, transaction_id],
];
for (const [bill, params, mark] of bills) {
  const { data: where } = await bill.get({ params, headers });
  const url = new URL(where.download_url);
  const timestamp = Formatter.timestamp();
  const nonce = Formatter.nonce();
  const signature = Rsa.sign(
    Formatter.request('GET', `${url.pathname}${url.search}`, timestamp, nonce, ''),
    Rsa.from(file(ours.merchant_private_key), Rsa.KEY_TYPE_PRIVATE),
  );
  const answer = await fetch(url, {
    headers: {
      accept: '*/*',
      'user-agent': 'conformance',
      authorization: Formatter.authorization(mchid, nonce, signature, timestamp, ours.merchant_serial),
    },
  });
  assert.equal(answer.status, 200);
  const text = gunzipSync(Buffer.from(await answer.arrayBuffer()));
  assert.equal(createHash('sha1').update(text).digest('hex'), where.hash_value.toLowerCase());
  assert.ok(text.toString('utf8').includes(`\`${mark}`), 'the bill lists the payment');
}
inbox.close();
