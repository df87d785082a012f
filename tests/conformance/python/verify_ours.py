"""Verifies recorded requests of our channels with the clients' own verifiers: FOLDER FILE KIND."""

import json
import re
import sys
import urllib.parse

import xmltodict
from alipay import AliPay, DCAliPay
from wechatpayv3.utils import load_certificate, rsa_verify
from wechatpy.pay.utils import calculate_signature, calculate_signature_hmac

import house
from house import CREDENTIALS, file, same

RECORDED = json.load(open(sys.argv[2], encoding="utf-8"))
KIND = sys.argv[3]


def alipay(request):
    fields = dict(urllib.parse.parse_qsl(request["body"], keep_blank_values=True))
    fields |= dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request["path"]).query, keep_blank_values=True))
    # The client leaves sign_type out when it verifies, as notifications do; a request's signature covers it.
    message = "&".join(f"{name}={value}" for name, value in sorted(fields.items()) if name != "sign" and value)
    ours = CREDENTIALS["alipay"]
    merchant = AliPay(
        appid=ours["app_id"],
        app_private_key_string=file(ours["app_private_key_pkcs1"]),
        alipay_public_key_string=file(ours["app_public_key"]),
    )
    same(merchant._verify(message, fields["sign"]), True, f"{fields['method']}: the signature")
    same((fields["app_id"], fields["sign_type"], fields["version"]), (ours["app_id"], "RSA2", "1.0"), fields["method"])
    if KIND == "alipay_certificate":
        same(fields["app_cert_sn"], DCAliPay.get_cert_sn(file(ours["app_certificate"])), "app_cert_sn")
        same(fields["alipay_root_cert_sn"], DCAliPay.get_root_cert_sn(file(ours["alipay_root_certificate"])), "root sn")


def wechatpay_v3(request):
    ours = CREDENTIALS["wechatpay"]
    scheme, fields = request["headers"]["authorization"].split(" ", 1)
    same(scheme, "WECHATPAY2-SHA256-RSA2048", "scheme")
    told = dict(re.findall(r'(\w+)="([^"]*)"', fields))
    same((told["mchid"], told["serial_no"]), (ours["mchid"], ours["merchant_serial"]), "merchant")
    # This client's verifier builds an answer's message of three lines; a request has two before them.
    certificate = load_certificate(file(ours["merchant_certificate"]))
    lines = f'{request["method"]}\n{request["path"]}\n{told["timestamp"]}'
    verdict = rsa_verify(lines, told["nonce_str"], request["body"], told["signature"], certificate.public_key())
    same(verdict, True, f'{request["method"]} {request["path"]}: the signature')


def wechatpay_v2(request):
    key = CREDENTIALS["wechatpay"]["api_v2_key"]
    fields = xmltodict.parse(request["body"])["xml"]
    sign = fields.pop("sign")
    md5 = fields.get("sign_type", "MD5") == "MD5"
    wanted = calculate_signature(fields, key) if md5 else calculate_signature_hmac(fields, key)
    same(sign, wanted, f'{request["path"]}: the signature')


verify = {"alipay": alipay, "alipay_certificate": alipay, "wechatpay_v3": wechatpay_v3, "wechatpay_v2": wechatpay_v2}
# A bill is fetched from an address that carries its own right to it.
signed = [request for request in RECORDED if not request["path"].startswith("/sandbox") and "bill_download" not in request["path"]]
counted = 0
for request in signed:
    if KIND.startswith("alipay") and not request["path"].startswith("/gateway.do"):
        continue
    verify[KIND](request)
    counted += 1
same(counted >= 8, True, f"{counted} requests verified")
