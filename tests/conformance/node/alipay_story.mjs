// Alipay's own SDK's day at the sandbox. A third argument chooses: `certificate` mode, or `encrypted` content.

import assert from 'node:assert/strict';
import { AlipaySdk } from 'alipay-sdk';

import { BASE, CREDENTIALS, file, number, paymentCode, receiver, scan, today } from './house.mjs';

const ours = CREDENTIALS.alipay;
const [, , , mode] = process.argv;
const keys =
  mode === 'certificate'
    ? {
        appCertContent: file(ours.app_certificate),
        alipayPublicCertContent: file(ours.alipay_certificate),
        alipayRootCertContent: file(ours.alipay_root_certificate),
      }
    : { alipayPublicKey: file(ours.alipay_public_key) };
const alipay = new AlipaySdk({
  appId: ours.app_id,
  privateKey: file(ours.app_private_key_pkcs8),
  keyType: 'PKCS8',
  gateway: `${BASE}/gateway.do`,
  encryptKey: ours.aes_key,
  ...keys,
});
const needEncrypt = mode === 'encrypted';
// This client cuts what is signed out by its braces, and ciphertext has none: opening it has to do as the check.
const call = (method, bizContent, more = {}) =>
  alipay.exec(method, { bizContent, needEncrypt, ...more }, { validateSign: !needEncrypt });

const inbox = await receiver(
  (_, body) => {
    const told = Object.fromEntries(new URLSearchParams(body));
    assert.ok(alipay.checkNotifySignV2(told), 'the notification is signed');
    return told;
  },
  (good) => [200, 'text/plain', good ? 'success' : 'fail'],
);

// The customer's code: paid, notified, queried, and a part of it returned once.
const paid = number('PAY');
const answer = await call(
  'alipay.trade.pay',
  { out_trade_no: paid, scene: 'bar_code', auth_code: await paymentCode('alipay-1'), subject: '咖啡 tea', total_amount: '12.34', product_code: 'FACE_TO_FACE_PAYMENT' },
  { notifyUrl: inbox.url },
);
assert.equal(answer.code, '10000', JSON.stringify(answer));
const told = await inbox.next();
assert.deepEqual([told.out_trade_no, told.trade_status, told.total_amount], [paid, 'TRADE_SUCCESS', '12.34']);
assert.equal((await call('alipay.trade.query', { out_trade_no: paid })).tradeStatus, 'TRADE_SUCCESS');
for (const fundChange of ['Y', 'N']) {
  const refund = await call('alipay.trade.refund', { out_trade_no: paid, refund_amount: '2.34', out_request_no: `${paid}R` });
  assert.deepEqual([refund.code, refund.fundChange, refund.refundFee], ['10000', fundChange, '2.34']);
}
const returned = await call('alipay.trade.fastpay.refund.query', { out_trade_no: paid, out_request_no: `${paid}R` });
assert.deepEqual([returned.refundStatus, returned.refundAmount], ['REFUND_SUCCESS', '2.34']);

// A shown code: scanned and waiting, then cancelled; another one closed.
const shown = number('QR');
const code = await call('alipay.trade.precreate', { out_trade_no: shown, total_amount: '8.50', subject: 'tea' });
assert.equal(code.code, '10000', JSON.stringify(code));
assert.equal((await call('alipay.trade.query', { out_trade_no: shown })).subCode, 'ACQ.TRADE_NOT_EXIST');
await scan('alipay-1', code.qrCode, null);
assert.equal((await call('alipay.trade.query', { out_trade_no: shown })).tradeStatus, 'WAIT_BUYER_PAY');
const cancelled = await call('alipay.trade.cancel', { out_trade_no: shown });
assert.deepEqual([cancelled.code, cancelled.retryFlag, cancelled.action], ['10000', 'N', 'close']);
const left = number('CLOSE');
const another = await call('alipay.trade.precreate', { out_trade_no: left, total_amount: '3.00', subject: 'tea' });
await scan('alipay-1', another.qrCode, null);
assert.equal((await call('alipay.trade.close', { out_trade_no: left })).code, '10000');

// The customer has to confirm.
const large = number('BIG');
const waiting = await call('alipay.trade.pay', {
  out_trade_no: large, scene: 'bar_code', auth_code: await paymentCode('alipay-1'), subject: 'watch', total_amount: '1500.00',
});
assert.equal(waiting.code, '10003', JSON.stringify(waiting));

// Where the bill is.
const bill = await call('alipay.data.dataservice.bill.downloadurl.query', { bill_type: 'trade', bill_date: today() });
assert.equal(bill.code, '10000', JSON.stringify(bill));
const packed = Buffer.from(await (await fetch(bill.billDownloadUrl)).arrayBuffer());
assert.equal(packed.subarray(0, 2).toString('latin1'), 'PK');
inbox.close();
