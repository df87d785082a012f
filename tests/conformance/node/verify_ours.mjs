// Verifies recorded requests of our channels with the clients' own verifiers: FOLDER FILE KIND.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { AlipaySdk } from 'alipay-sdk';
import plugin from 'wechatpay-axios-plugin';

import { CREDENTIALS, file } from './house.mjs';

const { Rsa, Hash, Formatter, Transformer } = plugin;
const [, , , recorded, kind] = process.argv;
const requests = JSON.parse(readFileSync(recorded, 'utf8'));

function alipay({ path, body }) {
  if (!path.startsWith('/gateway.do')) return 0;
  const ours = CREDENTIALS.alipay;
  const sdk = new AlipaySdk({
    appId: ours.app_id,
    privateKey: file(ours.app_private_key_pkcs8),
    keyType: 'PKCS8',
    alipayPublicKey: file(ours.app_public_key),
  });
  const query = path.includes('?') ? path.slice(path.indexOf('?') + 1) : '';
  const fields = { ...Object.fromEntries(new URLSearchParams(query)), ...Object.fromEntries(new URLSearchParams(body)) };
  assert.ok(sdk.checkNotifySignV2(fields), `${fields.method}: the signature`);
  return 1;
}

function wechatpayV3({ method, path, headers, body }) {
  const ours = CREDENTIALS.wechatpay;
  const told = Object.fromEntries([...headers.authorization.matchAll(/(\w+)="([^"]*)"/g)].map(([, k, v]) => [k, v]));
  const message = Formatter.request(method, path, told.timestamp, told.nonce_str, body);
  assert.ok(Rsa.verify(message, told.signature, file(ours.merchant_certificate)), `${method} ${path}: the signature`);
  return 1;
}

function wechatpayV2({ path, body }) {
  const fields = Transformer.toObject(body);
  const type = fields.sign_type ?? 'MD5';
  assert.equal(Hash.sign(type, fields, CREDENTIALS.wechatpay.api_v2_key), fields.sign, `${path}: the signature`);
  return 1;
}

const verify = { alipay, alipay_certificate: alipay, wechatpay_v3: wechatpayV3, wechatpay_v2: wechatpayV2 }[kind];
const count = requests.map(verify).reduce((sum, one) => sum + one, 0);
assert.ok(count >= 8, `${count} requests verified`);
