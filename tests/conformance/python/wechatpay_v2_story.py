"""wechatpy's day at the sandbox: APIv2, signed with MD5 as this client does."""

import datetime

import xmltodict
from wechatpy.exceptions import WeChatPayException
from wechatpy.pay import WeChatPay

import house
from house import CREDENTIALS, same

OURS = CREDENTIALS["wechatpay"]
WeChatPay.API_BASE_URL = house.BASE + "/"
wxpay = WeChatPay(OURS["appid"], OURS["api_v2_key"], OURS["mchid"])


def check(_, body):
    told = xmltodict.parse(body)["xml"]
    if "req_info" in told:
        return wxpay.parse_refund_notify_result(body.decode())
    return wxpay.parse_payment_result(body.decode())


def answer(good):
    verdict = b"SUCCESS" if good else b"FAIL"
    return 200, "text/xml", b"<xml><return_code><![CDATA[" + verdict + b"]]></return_code></xml>"


receiver = house.Receiver(check, answer)


def checked(told):
    same(wxpay.check_signature(dict(told)), True, "the answer's signature")
    return told


def refused(call, code, what):
    try:
        call()
    except WeChatPayException as error:
        return same(error.errcode, code, what)
    raise SystemExit(f"{what}: it was not refused")


# A shown code is paid, queried and notified.
native = house.number("NATIVE")
order = checked(wxpay.order.create("NATIVE", "咖啡 tea", 850, receiver.url, "127.0.0.1", out_trade_no=native, product_id="1"))
same(checked(wxpay.order.query(out_trade_no=native))["trade_state"], "NOTPAY", "query before the scan")
house.scan("wechatpay-1", order["code_url"])
told, _ = receiver.next()
same((told["out_trade_no"], told["total_fee"]), (native, 850), "notified")
state = checked(wxpay.order.query(out_trade_no=native))
same((state["trade_state"], state["total_fee"]), ("SUCCESS", "850"), "query")
same(checked(wxpay.order.query(transaction_id=state["transaction_id"]))["out_trade_no"], native, "query by the other number")

# A part goes back.
refund = checked(wxpay.refund.apply(850, 250, native + "R", out_trade_no=native, notify_url=receiver.url))
same(refund["refund_fee"], "250", "refund")
asked = checked(wxpay.refund.query(out_refund_no=native + "R"))
same((asked["refund_status_0"], asked["refund_fee_0"]), ("SUCCESS", "250"), "refund query")
told, _ = receiver.next()
same((told["out_refund_no"], told["refund_fee"]), (native + "R", 250), "refund notified")

# The customer's code: at once, and over the threshold with the password.
paid = house.number("CODE")
answered = checked(wxpay.micropay.create("tea", 1234, house.payment_code("wechatpay-1"), "127.0.0.1", out_trade_no=paid))
same((answered["total_fee"], answered["trade_type"]), ("1234", "MICROPAY"), "micropay")
large = house.number("BIG")
pay = lambda: wxpay.micropay.create("watch", 150000, house.payment_code("wechatpay-1"), "127.0.0.1", out_trade_no=large)
refused(pay, "USERPAYING", "micropay over the threshold")
same(checked(wxpay.order.query(out_trade_no=large))["trade_state"], "USERPAYING", "query while confirming")
house.control("/sandbox/clock", {"advance_ms": 20_000})
same(checked(wxpay.order.reverse(out_trade_no=large))["recall"], "N", "reverse")
same(checked(wxpay.order.query(out_trade_no=large))["trade_state"], "REVOKED", "query after the reversal")

# Closing, and an order that is not there.
left = house.number("CLOSE")
checked(wxpay.order.create("NATIVE", "tea", 300, receiver.url, "127.0.0.1", out_trade_no=left, product_id="1"))
checked(wxpay.order.close(left))
same(checked(wxpay.order.query(out_trade_no=left))["trade_state"], "CLOSED", "query after closing")
refused(lambda: wxpay.order.query(out_trade_no="PYNOSUCHORDER"), "ORDERNOTEXIST", "an unknown order")

# The bill lists what happened.
today = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8)))
bill = wxpay.tools.download_bill(today.date())
same(f"`{native}" in bill, True, "the bill lists the payment")
