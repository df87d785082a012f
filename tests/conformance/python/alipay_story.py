"""python-alipay-sdk's day at the sandbox; `certificate` as the second argument takes its certificate mode."""

import csv
import datetime
import io
import sys
import urllib.parse
import urllib.request
import zipfile

from alipay import AliPay, DCAliPay
from Cryptodome.PublicKey import RSA

import house
from house import CREDENTIALS, file, same

OURS = CREDENTIALS["alipay"]


def client(**more):
    if sys.argv[2:] == ["certificate"]:
        made = DCAliPay(
            appid=OURS["app_id"],
            app_private_key_string=file(OURS["app_private_key_pkcs1"]),
            app_public_key_cert_string=file(OURS["app_certificate"]),
            alipay_public_key_cert_string=file(OURS["alipay_certificate"]),
            alipay_root_cert_string=file(OURS["alipay_root_certificate"]),
            **more,
        )
    else:
        made = AliPay(
            appid=OURS["app_id"],
            app_private_key_string=file(OURS["app_private_key_pkcs1"]),
            alipay_public_key_string=file(OURS["alipay_public_key"]),
            **more,
        )
    made._gateway = house.BASE + "/gateway.do"
    return made


def check(_, body):
    fields = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
    sign = fields.pop("sign")
    return alipay.verify(fields, sign)


receiver = house.Receiver(check, lambda good: (200, "text/plain", b"success" if good else b"fail"))
alipay = client(app_notify_url=receiver.url)

# The customer's code, under the threshold: paid at once, and a notification says so.
paid = house.number("PAY")
answer = alipay.api_alipay_trade_pay(paid, "bar_code", house.payment_code("alipay-1"), "咖啡 tea", total_amount="12.34")
same(answer["code"], "10000", "pay")
same(answer["total_amount"], "12.34", "pay's amount")
good, body = receiver.next()
same(good, True, "the notification's signature")
told = dict(urllib.parse.parse_qsl(body.decode()))
same((told["out_trade_no"], told["trade_status"], told["total_amount"]), (paid, "TRADE_SUCCESS", "12.34"), "notified")
same(alipay.api_alipay_trade_query(out_trade_no=paid)["trade_status"], "TRADE_SUCCESS", "query")
same(alipay.api_alipay_trade_query(trade_no=answer["trade_no"])["out_trade_no"], paid, "query by trade_no")

# A part goes back once, however often it is asked.
for fund_change in ("Y", "N"):
    refund = alipay.api_alipay_trade_refund("2.34", out_trade_no=paid, out_request_no=paid + "R")
    same((refund["code"], refund["fund_change"], refund["refund_fee"]), ("10000", fund_change, "2.34"), "refund")
asked = alipay.api_alipay_trade_fastpay_refund_query(paid + "R", out_trade_no=paid)
same((asked["refund_status"], asked["refund_amount"]), ("REFUND_SUCCESS", "2.34"), "refund query")

# Over the threshold the customer types the password.
large = house.number("BIG")
answer = alipay.api_alipay_trade_pay(large, "bar_code", house.payment_code("alipay-1"), "watch", total_amount="1500.00")
same(answer["code"], "10003", "pay over the threshold")
same(alipay.api_alipay_trade_query(out_trade_no=large)["trade_status"], "WAIT_BUYER_PAY", "query while confirming")
cancelled = alipay.api_alipay_trade_cancel(out_trade_no=large)
same((cancelled["code"], cancelled["retry_flag"], cancelled["action"]), ("10000", "N", "close"), "cancel unpaid")

# A shown code: no trade before somebody scans it; then paid; cancel takes the money back.
shown = house.number("QR")
code = alipay.api_alipay_trade_precreate("tea", shown, "8.50")
same(code["code"], "10000", "precreate")
same(alipay.api_alipay_trade_query(out_trade_no=shown)["sub_code"], "ACQ.TRADE_NOT_EXIST", "query before the scan")
house.scan("alipay-1", code["qr_code"])
same(alipay.api_alipay_trade_query(out_trade_no=shown)["trade_status"], "TRADE_SUCCESS", "query after the scan")
same(alipay.api_alipay_trade_cancel(out_trade_no=shown)["action"], "refund", "cancel paid")

# A scanned order that nobody confirms can be closed.
left = house.number("CLOSE")
code = alipay.api_alipay_trade_precreate("tea", left, "3.00")
house.scan("alipay-1", code["qr_code"], None)
same(alipay.api_alipay_trade_close(out_trade_no=left)["code"], "10000", "close")

# A code that was spent is refused by name.
spent = house.payment_code("alipay-1")
alipay.api_alipay_trade_pay(house.number("A"), "bar_code", spent, "tea", total_amount="1.00")
refused = alipay.api_alipay_trade_pay(house.number("B"), "bar_code", spent, "tea", total_amount="1.00")
same((refused["code"], refused["sub_code"]), ("40004", "ACQ.PAYMENT_AUTH_CODE_INVALID"), "a spent code")

# The bill lists what happened.
today = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8))).strftime("%Y-%m-%d")
where = alipay.server_api(
    "alipay.data.dataservice.bill.downloadurl.query", {"bill_type": "trade", "bill_date": today}
)
same(where["code"], "10000", "bill address")
with urllib.request.urlopen(where["bill_download_url"], timeout=30) as answer:
    packed = zipfile.ZipFile(io.BytesIO(answer.read()))
details = [name for name in packed.namelist() if "汇总" not in name]
text = packed.read(details[0]).decode("gbk")
rows = [row for row in csv.reader(io.StringIO(text)) if row and not row[0].startswith("#")]
ours = [[field.strip() for field in row] for row in rows if paid in (field.strip() for field in row)]
same(len(ours), 2, "the bill's lines of a payment and its refund")
same(sorted(amount for row in ours for amount in row if amount in ("12.34", "-2.34"))[-1], "12.34", "the bill's amount")

# A request signed with another key is refused, by an answer that is signed: the gateway knows the application.
stranger = client()
stranger._app_private_key = RSA.generate(2048)
refused = stranger.api_alipay_trade_query(out_trade_no=paid)
same((refused["code"], refused["sub_code"]), ("40002", "isv.invalid-signature"), "a wrong signature")
