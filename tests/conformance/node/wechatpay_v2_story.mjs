// wechatpay-axios-plugin's day at the sandbox: APIv2. The third argument is the way to sign: MD5 or HMAC-SHA256.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import plugin from 'wechatpay-axios-plugin';

import { BASE, CREDENTIALS, file, number, pass, paymentCode, receiver, scan, today } from './house.mjs';

const { Wechatpay, Hash, Aes, Transformer } = plugin;
const ours = CREDENTIALS.wechatpay;
const sign_type = process.argv[3];
const wxpay = new Wechatpay({
  mchid: ours.mchid,
  serial: ours.merchant_serial,
  privateKey: file(ours.merchant_private_key),
  certs: { [ours.platform_serial]: file(ours.platform_certificate) },
  secret: ours.api_v2_key,
  baseURL: `${BASE}/`,
});
const about = { appid: ours.appid, mch_id: ours.mchid, sign_type };

const inbox = await receiver(
  (_, body) => {
    const told = Transformer.toObject(body);
    if (told.req_info) {
      const key = createHash('md5').update(ours.api_v2_key).digest('hex');
      return Transformer.toObject(Aes.AesEcb.decrypt(told.req_info, key));
    }
    const type = told.sign.length === 64 ? 'HMAC-SHA256' : 'MD5';
    assert.equal(Hash.sign(type, told, ours.api_v2_key), told.sign, 'the notification is signed');
    return told;
  },
  (good) => [200, 'text/xml', `<xml><return_code>${good ? 'SUCCESS' : 'FAIL'}</return_code></xml>`],
);
const query = (out_trade_no) => wxpay.v2.pay.orderquery.post({ ...about, out_trade_no });
const refused = async (call, code) => {
  const error = await call().then(() => assert.fail('it was not refused'), (error) => error);
  assert.equal(error.response?.data?.err_code, code, String(error));
};

// A shown code is paid, notified and queried.
const native = number('NATIVE');
const order = await wxpay.v2.pay.unifiedorder.post({
  ...about, trade_type: 'NATIVE', body: '咖啡 tea', out_trade_no: native, total_fee: '850', spbill_create_ip: '127.0.0.1',
  notify_url: inbox.url, product_id: '1',
});
await scan('wechatpay-1', order.data.code_url);
const told = await inbox.next();
assert.deepEqual([told.out_trade_no, told.total_fee], [native, '850']);
assert.equal((await query(native)).data.trade_state, 'SUCCESS');

// A part goes back.
const refund = await wxpay.v2.secapi.pay.refund.post({
  ...about, out_trade_no: native, out_refund_no: `${native}R`, total_fee: '850', refund_fee: '250', notify_url: inbox.url,
});
assert.equal(refund.data.refund_fee, '250');
const asked = await wxpay.v2.pay.refundquery.post({ ...about, out_refund_no: `${native}R` });
assert.equal(asked.data.refund_status_0, 'SUCCESS');
assert.equal((await inbox.next()).out_refund_no, `${native}R`);

// The customer's code: paid at once, and reversed after waiting for a password.
const micropay = async (number, total_fee) =>
  wxpay.v2.pay.micropay.post({
    ...about, body: 'tea', out_trade_no: number, total_fee, spbill_create_ip: '127.0.0.1', auth_code: await paymentCode('wechatpay-1'),
  });
const paid = number('CODE');
assert.equal((await micropay(paid, '1234')).data.trade_type, 'MICROPAY');
const large = number('BIG');
await refused(() => micropay(large, '150000'), 'USERPAYING');
assert.equal((await query(large)).data.trade_state, 'USERPAYING');
await pass(20_000);
assert.equal((await wxpay.v2.secapi.pay.reverse.post({ ...about, out_trade_no: large })).data.recall, 'N');

// Closing, an order that is not there, and the bill.
const left = number('CLOSE');
await wxpay.v2.pay.unifiedorder.post({
  ...about, trade_type: 'NATIVE', body: 'tea', out_trade_no: left, total_fee: '300', spbill_create_ip: '127.0.0.1',
  notify_url: inbox.url, product_id: '1',
});
await wxpay.v2.pay.closeorder.post({ ...about, out_trade_no: left });
assert.equal((await query(left)).data.trade_state, 'CLOSED');
await refused(() => query('JSNOSUCHORDER'), 'ORDERNOTEXIST');
const bill = await wxpay.v2.pay.downloadbill.post(
  { ...about, bill_date: today(''), bill_type: 'ALL' },
  { transformResponse: [] },
);
assert.ok(bill.data.includes(`\`${native}`), 'the bill lists the payment');
inbox.close();
