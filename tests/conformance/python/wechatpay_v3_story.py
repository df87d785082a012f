"""wechatpayv3's day at the sandbox; `public_key` as the second argument takes the platform public key's mode."""

import datetime
import gzip
import hashlib
import json
import sys

from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpayv3.core import Core
from wechatpayv3.type import RequestType

import house
from house import CREDENTIALS, file, same

OURS = CREDENTIALS["wechatpay"]

# The gateway's address is no parameter of this client's: it is put in where the client keeps it.
construct = Core.__init__
update = Core._update_certificates


def at_the_sandbox(self, *args, **more):
    construct(self, *args, **more)
    self._gate_way = house.BASE


def update_there(self):
    self._gate_way = house.BASE
    update(self)


Core.__init__, Core._update_certificates = at_the_sandbox, update_there


def check(headers, body):
    event = wxpay.callback(headers, body)
    return event or False


receiver = house.Receiver(
    check,
    lambda good: (200, "application/json", b"")
    if good
    else (401, "application/json", b'{"code":"FAIL","message":"signature"}'),
)
mode = {}
if sys.argv[2:] == ["public_key"]:
    mode = {"public_key": file(OURS["platform_public_key"]), "public_key_id": OURS["platform_public_key_id"]}
wxpay = WeChatPay(
    wechatpay_type=WeChatPayType.NATIVE,
    mchid=OURS["mchid"],
    private_key=file(OURS["merchant_private_key"]),
    cert_serial_no=OURS["merchant_serial"],
    apiv3_key=OURS["api_v3_key"],
    appid=OURS["appid"],
    notify_url=receiver.url,
    **mode,
)
core = wxpay._core
if not mode:
    same(len(core._certificates) >= 1, True, "platform certificates downloaded")


def call(answer, wanted=200):
    status, body = answer
    same(status, wanted, f"HTTP status (with {body!r})")
    return json.loads(body) if body else None


def codepay(total, number, code):
    body = {
        "appid": OURS["appid"],
        "mchid": OURS["mchid"],
        "description": "咖啡 tea",
        "out_trade_no": number,
        "notify_url": receiver.url,
        "amount": {"total": total, "currency": "CNY"},
        "payer": {"auth_code": code},
        "scene_info": {"store_info": {"id": "store-1"}},
    }
    return core.request("/v3/pay/transactions/codepay", method=RequestType.POST, data=body)


# A shown code is paid; a notification says so, sealed and signed.
native = house.number("NATIVE")
code_url = call(wxpay.pay(description="tea", out_trade_no=native, amount={"total": 850, "currency": "CNY"}))["code_url"]
same(call(wxpay.query(out_trade_no=native))["trade_state"], "NOTPAY", "query before the scan")
house.scan("wechatpay-1", code_url)
event, _ = receiver.next()
same(event["event_type"], "TRANSACTION.SUCCESS", "notified")
same((event["resource"]["out_trade_no"], event["resource"]["amount"]["total"]), (native, 850), "notified order")
state = call(wxpay.query(out_trade_no=native))
same(state["trade_state"], "SUCCESS", "query")
same(call(wxpay.query(transaction_id=state["transaction_id"]))["out_trade_no"], native, "query by transaction_id")

# A part goes back, once, and is notified.
for _ in range(2):
    refund = call(
        wxpay.refund(
            out_refund_no=native + "R",
            out_trade_no=native,
            amount={"refund": 250, "total": 850, "currency": "CNY"},
            reason="cold",
            notify_url=receiver.url,
        )
    )
    same(refund["amount"]["refund"], 250, "refund")
same(call(wxpay.query_refund(out_refund_no=native + "R"))["status"], "SUCCESS", "refund query")
event, _ = receiver.next()
same((event["event_type"], event["resource"]["out_refund_no"]), ("REFUND.SUCCESS", native + "R"), "refund notified")

# The customer's code: at once; over the threshold after the password; reversed.
paid = house.number("CODE")
answer = call(codepay(1234, paid, house.payment_code("wechatpay-1")))
same((answer["trade_state"], answer["amount"]["total"]), ("SUCCESS", 1234), "codepay")
large = house.number("BIG")
call(codepay(150000, large, house.payment_code("wechatpay-1")), 202)
same(call(wxpay.query(out_trade_no=large))["trade_state"], "USERPAYING", "query while confirming")
house.control("/sandbox/clock", {"advance_ms": 20_000})
call(wxpay.codepay_reverse(out_trade_no=large, appid=OURS["appid"], mchid=OURS["mchid"]))
same(call(wxpay.query(out_trade_no=large))["trade_state"], "REVOKED", "query after the reversal")

# A shown order is closed: 204 with a signed empty body.
left = house.number("CLOSE")
call(wxpay.pay(description="tea", out_trade_no=left, amount={"total": 300, "currency": "CNY"}))
call(wxpay.close(out_trade_no=left), 204)
same(call(wxpay.query(out_trade_no=left))["trade_state"], "CLOSED", "query after closing")

# Bills: the address is signed, the file's hash is of the text.
today = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8))).strftime("%Y-%m-%d")
for bill, mark in ((wxpay.trade_bill, native), (wxpay.fundflow_bill, state["transaction_id"])):
    where = call(bill(bill_date=today))
    same(where["hash_type"], "SHA1", "hash type")
    # The answer of a download is not signed, which this client's own call would ask for.
    status, packed = core.request(where["download_url"][len(house.BASE) :], skip_verify=True)
    same(status, 200, "download")
    text = gzip.decompress(packed)
    same(hashlib.sha1(text).hexdigest(), where["hash_value"].lower(), "the file's hash")
    same(f"`{mark}" in text.decode("utf-8-sig"), True, "the bill lists the payment")

# A key that is not the merchant's is refused.
wrong = WeChatPay(
    wechatpay_type=WeChatPayType.NATIVE,
    mchid=OURS["mchid"],
    private_key=file(CREDENTIALS["alipay"]["app_private_key_pkcs8"]),
    cert_serial_no=OURS["merchant_serial"],
    apiv3_key=OURS["api_v3_key"],
    appid=OURS["appid"],
    notify_url=receiver.url,
    public_key=file(OURS["platform_public_key"]),
    public_key_id=OURS["platform_public_key_id"],
)
status, body = wrong.query(out_trade_no=native)
same((status, json.loads(body)["code"]), (401, "SIGN_ERROR"), "a wrong signature")
