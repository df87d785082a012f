### Every word the till shows, in English. zh-CN.ftl has the same keys with the same variables; tests/text.rs checks it.
###
### Naming
### - A key is kebab-case: screen first, then what it is: `cashier-collect`, `display-thanks`.
### - A key that stands for a stable name of the program is a prefix and that name with - for _, so that code makes the
###   key from the name: `state-` payment::PaymentState, `pending-` PendingReason, `failure-` FailureReason,
###   `rejection-` CodeRejection::kind, `event-` PaymentEvent::kind, `attempt-` AttemptState, `way-` Way,
###   `void-` VoidReason, `channel-` ChannelId, `error-` the API's problem code. `Text::named(prefix, name)` does that.
### - `-short` is for tight places (a list's row); `-next` says what to do now; `-hint` is small help below something.
### - Variables: amount and total come formatted with their currency sign ({ $amount } is ¥12.50); seconds, count and
###   digits are whole numbers; channel is the name from `channel-*`; time and date come formatted.
### - What happened to the money comes first, then why, then what to do.

## Names

app-name = Scantill
app-tagline = Scan to pay
language-en = English
language-zh-cn = 简体中文

channel-alipay = Alipay
channel-wechatpay = WeChat Pay
channel-unionpay = UnionPay
channel-bank-transfer = Bank transfer
channel-other = Other
channel-alipay-short = Alipay
channel-wechatpay-short = WeChat
channel-unionpay-short = UnionPay
channel-bank-transfer-short = Transfer

way-merchant-presented = Customer scans our code
way-consumer-presented = We scan the customer's code
way-merchant-presented-short = Code shown
way-consumer-presented-short = Code scanned

## Words used all over

common-ok = OK
common-cancel = Cancel
common-close = Close
common-back = Back
common-save = Save
common-retry = Try again
common-copy = Copy
common-copied = Copied
common-search = Search
common-clear = Clear
common-delete = Delete
common-enter = Enter
common-on = On
common-off = Off
common-yes = Yes
common-no = No
common-loading = Loading…
common-none = None
common-unknown = Unknown
common-total = Total
common-amount = Amount
common-channel = Channel
common-time = Time
common-state = State
common-today = Today
common-yesterday = Yesterday
common-date = Date
common-seconds = { $seconds } s
common-seconds-left = { $seconds } s left
common-minutes-left = { $minutes } min left
common-no-real-money = no real money
common-open = Open
common-more = More

## Top bar and bottom bar

bar-till = Till { $till }
bar-online = online
bar-offline = offline
bar-connecting = connecting
bar-training = TRAINING: no real money
bar-training-short = TRAINING
bar-training-hint = No merchant account is set up. Nothing here moves money.
bar-today = Today { $total } · { $count ->
    [one] { $count } sale
   *[other] { $count } sales
}
bar-keys = F1 keys
bar-sales = F2 sales
bar-takings = F3 takings
bar-refund = F4 refund
bar-settings = F8 settings
bar-lock = F9 lock
bar-phone = F6 training phone
bar-display = F7 customer display
bar-theme-light = Light
bar-theme-dark = Dark

## Cashier: entering the amount

cashier-amount = Amount to collect
cashier-amount-hint = Type the amount, then press Enter
cashier-note = note
cashier-note-placeholder = Item or note (optional)
cashier-note-add = Add a note
cashier-collect = Collect
cashier-collect-amount = Collect { $amount }
cashier-next-sale = Next sale
cashier-recent = Recent
cashier-recent-empty = No sales yet today. The last sales will be listed here.
cashier-recent-all = All sales
cashier-new-sale-hint = Type the next amount to go on
cashier-scan-first = Enter the amount first. Then ask for the code again.
cashier-starting = Starting…
cashier-starting-hint = The till can take payments in a moment.
cashier-resumed = An earlier sale of { $amount } was not finished. Its result is being found out.

keypad-clear = C
keypad-backspace = Backspace
keypad-double-zero = 00
keypad-point = .

amount-malformed = This is not an amount. Type digits with at most one point, such as 12.50.
amount-too-many-decimals = { $allowed ->
    [0] This currency has no decimals.
   *[other] An amount has at most { $allowed } decimals, such as 12.50.
}
amount-not-positive = An amount must be more than zero.
amount-too-large = The amount is too large. One sale takes at most { $amount }.

## Cashier: collecting

collect-title = Collecting
collect-waiting = Waiting for the customer
collect-either-way = The customer scans the code, or shows a payment code to the camera.
collect-show-code-hint = Ask for the payment code, or let the customer scan the display.
collect-type-code = Type the payment code
collect-type-code-hint = 16 to 24 digits, then Enter
collect-type-code-submit = Use this code
collect-cancel = Cancel
collect-cancel-hint = Esc cancels
collect-time-left = { $seconds } s left
collect-code-renews = Fresh code in { $seconds } s
collect-code-read = Code read. Asking { $channel }.
collect-preparing-code = Getting a code from { $channel }
collect-code-failed = { $channel } gave no code. Take the customer's code instead.
collect-no-channel = No channel is open. Tell the manager.
collect-channel-awaits-scan = { $channel }: nobody has scanned yet
collect-channel-closing = { $channel }: closing the other code
collect-channel-closed = { $channel }: closed

pending-submitting = Sending to { $channel }
pending-submitting-next = This takes a moment.
pending-awaiting-scan = Waiting for a scan
pending-awaiting-scan-next = The customer scans the code, or shows a payment code to the camera.
pending-customer-confirming = The customer is confirming on the phone
pending-customer-confirming-next = Ask the customer to enter the password or confirm. Do not ask for money again.
pending-result-unknown = Asking { $channel } whether the customer has paid. Do not ask for money again yet.
pending-result-unknown-next = If no answer comes, the payment is taken back by itself. The customer then pays nothing.
pending-closing-others = Money is in. Closing the other ways to pay.
pending-closing-others-next = This takes a moment.
pending-reversing = Taking the payment back
pending-reversing-next = Wait until { $channel } has confirmed. Do not ask for money again yet.
pending-submitting-short = Sending
pending-awaiting-scan-short = Awaiting scan
pending-customer-confirming-short = Confirming
pending-result-unknown-short = Unknown
pending-closing-others-short = Closing
pending-reversing-short = Reversing

## Cancel: the provider is asked first

cancel-asking = Not cancelled yet. Asking { $channel } first.
cancel-asking-hint = The customer may have paid this very moment.
cancel-done = Not paid. The sale is cancelled.
cancel-done-hint = Nothing was taken from the customer.
cancel-was-paid = Paid, in the same moment. The sale stands.
cancel-was-paid-hint = { $channel } had taken the money before the cancel arrived. To give it back, refund the sale.
cancel-reversed = Not paid. The money went back to the customer.
cancel-reversed-hint = { $channel } has returned { $amount }.
cancel-unknown = Not certain yet whether it was paid. { $channel } is asked again.
cancel-unknown-hint = Do not ask for money again yet. You can go on with the next sale; this one stays in the list.
cancel-too-late = The sale is over. There is nothing to cancel.

## Result

state-created = Not begun
state-pending = Under way
state-succeeded = Paid
state-failed = Not paid
state-closed = Cancelled
state-reversed = Taken back
state-partially-refunded = Partly refunded
state-refunded = Refunded
state-unknown = Unknown

result-paid = Paid
result-paid-by = Paid with { $channel }
result-paid-payer = by { $payer }
result-not-paid = Not paid
result-cancelled = Cancelled
result-reversed = Taken back
result-unknown = Not certain yet
result-refunded = Refunded
result-expired = Not paid. Nobody paid in time.
result-expired-next = Press Enter to offer it again.
result-closed = Not paid. The sale is closed; nothing can be taken for it.
result-reversed-detail = Not paid. What had been taken went back to the customer.
result-surplus = The customer paid twice, in the same moment. { $amount } by { $channel } goes back by itself.
result-surplus-done = The second payment of { $amount } went back to the customer.
result-surplus-waiting = The refund of the second payment is under way. It needs nothing from you.
result-attention = Look at this sale with the manager: the provider and the books do not say the same.
result-next = The next key starts the next sale
result-try-again = Try again
result-another-way = Another way to pay
result-support-code = Provider's code: { $code }
result-provider-said = { $channel } says: { $message }
result-training = Training: no real money moved

failure-code-expired = Not paid. The customer's code has expired or was used. Ask for a fresh code.
failure-code-invalid = Not paid. The provider does not know this code. Ask the customer to show it again.
failure-insufficient-funds = Not paid. The customer's balance is not enough. Ask for another way to pay.
failure-customer-refused = Not paid. The customer did not confirm. Ask whether to try again.
failure-timed-out = Not paid. The customer did not confirm in time. Try again.
failure-limit-exceeded = Not paid. The amount is over a limit. Ask for another way to pay.
failure-customer-account = Not paid. The customer's wallet cannot pay this. Ask for another way to pay.
failure-merchant-account = Not paid. The shop's account with the provider has a problem. Tell the manager.
failure-request-refused = Not paid. The provider refused the request. Tell the manager.
failure-provider-unreachable = Not paid. The provider cannot be reached. Check the network or take another way.
failure-provider-refused = Not paid. The provider refused. Ask for another way to pay.
failure-code-expired-short = Code expired
failure-code-invalid-short = Code not known
failure-insufficient-funds-short = Balance too low
failure-customer-refused-short = Not confirmed
failure-timed-out-short = Not confirmed in time
failure-limit-exceeded-short = Over a limit
failure-customer-account-short = Wallet cannot pay
failure-merchant-account-short = Shop's account
failure-request-refused-short = Request refused
failure-provider-unreachable-short = Not reachable
failure-provider-refused-short = Refused

## A scanned code that is no payment code

rejection-title = Nothing was sent
rejection-empty = Nothing was read. Ask the customer to show the payment code again.
rejection-web-address = This is a web address, not a payment code. Ask for the code that the wallet shows under Pay.
rejection-merchant-code = This is a merchant's code, for customers to scan. Ask for the customer's own payment code.
rejection-card-code = This is a bank card's code ({ $scheme } { $card }), which this till cannot charge. Ask for the 19 digits beginning 62, or another wallet.
rejection-product = This is a product's barcode, not a payment code.
rejection-wifi = This is a Wi-Fi code, not a payment code.
rejection-contact = This is a contact card, not a payment code.
rejection-text = This is text, not a payment code. A payment code is 16 to 24 digits.
rejection-too-short = This code has { $digits } digits, too few for a payment code. Scan it again, or type all of it.
rejection-too-long = This code has { $digits } digits, too many for a payment code. Scan it again.
rejection-unknown-prefix = No wallet's payment codes begin with { $prefix }. This till takes: { $known }.
rejection-spent = This payment code was used already. Ask the customer for a fresh one.
rejection-channel-closed = This is a { $channel } code, and the shop does not take { $channel }. Ask for another wallet.
rejection-still-showing = This code was read already. Take it away, then show a fresh one.

## Camera and scanners

camera-title = Camera
camera-hold-here = Hold the code here
camera-hold-closer = Hold it closer
camera-starting = Starting the camera…
camera-none = No camera
camera-none-hint = Scan with a scanner, or type the digits. The customer can also scan the display.
camera-lost = The camera was unplugged
camera-lost-hint = Plug it in again; it comes back by itself. Scanners and typing work meanwhile.
camera-back = The camera is back
camera-busy = Another program uses the camera
camera-busy-hint = Close that program; the camera then comes back by itself.
camera-no-permission = This user may not use the camera
camera-no-permission-hint = Add the user to the group "video" and log in again.
camera-failed = The camera gives no picture
camera-off = The camera is off
camera-recorded = Recorded pictures
camera-recorded-end = The recorded pictures are at their end
camera-choose = Choose a camera
camera-number = Camera { $number }
camera-dark = Very dark. Turn on a light, or make the phone brighter.
scanner-read = Scanner: code read
scanner-ready = Scanner ready
scanner-hint = Scanners that type like a keyboard work at any time.

## Customer's display

display-welcome = Welcome
display-idle-hint = Pay with your phone here
display-due = To pay
display-scan-code = Scan to pay with { $channel }
display-scan-any = Scan with one of these
display-or-show = or show your payment code to the camera
display-or-show-scanner = or show your payment code to the cashier
display-show-only = Please show your payment code to the camera
display-preparing = One moment please
display-seconds-left = { $seconds } s left
display-confirm = Please confirm on your phone
display-confirm-hint = Enter your password or use your fingerprint
display-asking = We are asking { $channel }. One moment please.
display-asking-hint = Please do not pay again yet.
display-closing = One moment please
display-paid = Paid
display-thanks = Thank you
display-thanks-store = Thank you for shopping at { $store }
display-paid-with = with { $channel }
display-not-paid = Not paid yet
display-not-paid-hint = Nothing was taken. The cashier will help you.
display-fresh-code = Please show a fresh payment code
display-another-way = Please choose another way to pay
display-cancelled = The sale was cancelled
display-cancelled-hint = Nothing was taken.
display-reversed = Your money is on its way back
display-surplus = You paid twice. { $amount } is on its way back to you.
display-receipt = Your receipt
display-training = Training: no real money
display-offline = One moment please
display-closed = This till is closed

## Sales: list and story

sales-title = Sales
sales-today = Today's sales
sales-empty = No sales on this day.
sales-empty-filter = No sale fits. Change or clear the filter.
sales-search = Search: amount, number, last digits
sales-filter-state = State
sales-filter-channel = Channel
sales-filter-all = All
sales-loading = Loading the sales…
sales-load-more = Earlier sales
sales-count = { $count ->
    [one] { $count } sale
   *[other] { $count } sales
}

sale-title = Sale
sale-story = What happened
sale-amount = Amount
sale-note = Note
sale-created = Begun
sale-ended = Ended
sale-duration = Took
sale-operator = Cashier
sale-till = Till
sale-payer = Payer
sale-out-trade-no = Our number (out_trade_no)
sale-provider-no = Provider's number
sale-auth-code = Payment code (masked)
sale-payment-id = Payment id
sale-attempt = Try { $number }
sale-attempts = Tries
sale-attention = To look at
sale-refund = Refund
sale-print = Print
sale-ask-again = Ask the provider again
sale-training = Training sale: no real money

event-created = Sale of { $amount } begun
event-changed = Changed to { $amount }
event-attempt-started = Try { $no } with { $channel }: { $way }
event-code-shown = { $channel } gave a code; it is on the display
event-customer-confirming = The customer is confirming on the phone
event-result-unknown = No clear answer from { $channel }: { $detail }
event-void-started = Asked { $channel } to take try { $no } back: { $reason }
event-attempt-succeeded = Paid with { $channel }
event-attempt-failed = Refused by { $channel }: { $reason }
event-attempt-closed = { $channel } closed try { $no }; nothing was taken
event-attempt-reversed = { $channel } took try { $no } back
event-surplus-refund-started = Paid once too often: refund of try { $no } asked for
event-surplus-refunded = The refund of try { $no } is done
event-attempt-deferred = Over; a code that may still be paid is watched, and what comes in goes back
event-others-deferred = Paid; the other tries are closed behind the scenes
event-cancel-requested = Cancel asked for by { $by }
event-expired = The time to pay ran out
event-attention-raised = To look at: { $detail }
event-other = { $kind }

void-cancelled = cancelled by the cashier
void-expired = the time to pay ran out
void-paid-otherwise = paid another way
void-renewed = a fresh code took its place
void-stayed-unknown = it stayed unknown whether it was paid

attempt-prepared = Being sent
attempt-code-shown = Code on the display
attempt-customer-confirming = Customer confirms
attempt-unknown = No clear answer
attempt-voiding = Being taken back
attempt-succeeded = Paid
attempt-failed = Refused
attempt-closed = Closed unpaid
attempt-reversed = Taken back
attempt-surplus-refunding = Paid once too often, being refunded
attempt-surplus-refunded = Paid once too often, refunded

## Takings

takings-title = Takings
takings-of = Takings of { $date }
takings-net = Net
takings-gross = Gross
takings-refunds = Refunds
takings-count = Sales
takings-refund-count = Refunds made
takings-average = Average sale
takings-by-channel = By channel
takings-by-hour = By hour
takings-by-till = By till
takings-share = Share
takings-hour = Hour
takings-empty = No takings on this day yet.
takings-empty-hint = The first paid sale shows here by itself.
takings-training = Training: none of this is real money
takings-in-flight = { $count ->
    [one] One sale is in flight, begun at { $time }
   *[other] { $count } sales are in flight, the oldest begun at { $time }
}
takings-in-flight-hint = Not counted here yet. The providers are asked until each is known. F2 shows them.
takings-updated = As of { $time }
takings-previous-day = Day before
takings-next-day = Day after
takings-export = Export
takings-exported = Saved as { $file }
takings-compared = { $percent } % against { $date }

report-title = Takings
report-business-day = Business day
report-printed = Printed { $time }
report-page = Page { $page } of { $pages }
report-sales = Sales

## Refund

refund-title = Refund
refund-choose = Choose the sale to refund
refund-amount = Amount to give back
refund-full = Whole amount
refund-confirm = Give { $amount } back
refund-done = { $amount } went back to the customer
refund-processing = { $amount } is on its way back
refund-failed = Not refunded. { $reason }
refund-not-paid = This sale was not paid: there is nothing to give back.

## Settings

settings-title = Settings
settings-language = Language
settings-theme = Look
settings-theme-light = Light
settings-theme-dark = Dark
settings-theme-system = As the system
settings-sound = Sounds
settings-sound-on = Sounds are on
settings-sound-off = Sounds are off
settings-motion = Motion
settings-motion-hint = Turn off what moves; the countdown stays.
settings-camera = Camera
settings-display = Customer's display
settings-display-open = Open the customer's display
settings-display-close = Close the customer's display
settings-display-fullscreen = Full screen
settings-store = Store
settings-store-name = Shop's name
settings-till-name = Till's name
settings-accounts = Merchant accounts
settings-about = About
settings-version = Version { $version }
settings-data-dir = Data folder
settings-saved = Saved

## Signing in

sign-in-title = Who is there?
sign-in-hint = Type your PIN
sign-in-asking = One moment …
sign-in-enter = Sign in
sign-in-wrong = { $left ->
    [one] That is not the PIN. One more try before it is locked for a while.
   *[other] That is not the PIN. { $left } more tries before it is locked for a while.
}
sign-in-locked = Locked for { $time }: too many wrong PINs. A manager can unlock it.
role-cashier = Cashier
role-supervisor = Supervisor
role-manager = Manager
role-admin = Administrator
help-lock = Lock the till; sign in again with your PIN

## Training phone

phone-title = Training phone
phone-hint = A customer's phone to try everything with. No real money.
phone-wallet = Wallet
phone-balance = Balance { $amount }
phone-show-code = Payment code
phone-code-renews = Fresh code in { $seconds } s
phone-new-code = Fresh code
phone-hold-up = Hold up to the camera
phone-hold-up-hint = The code goes through the camera's own path, as a real one does.
phone-take-away = Take away
phone-scan = Scan the display
phone-scan-hint = Reads the code on the customer's display.
phone-scan-nothing = There is no { $channel } code on the display. Start a sale first.
phone-asked = { $store } asks for { $amount }
phone-confirm = Confirm
phone-refuse = Refuse
phone-ignore = Let it run out
phone-confirming = Enter the password
phone-paid = Paid { $amount }
phone-refused = Refused
phone-expired = Ran out
phone-history = History
phone-history-empty = Nothing paid yet.
phone-unreachable = The training wallets cannot be reached. Restart the till.
phone-opened-web = Also in a browser: { $address }

## Offline and trouble

offline-title = No connection to the Payment API
offline-hint = No new payment can begin. What is under way is brought to its end. Trying again by itself.
offline-back = Connected again
offline-since = since { $time }
offline-retry-in = Trying again in { $seconds } s
provider-down = { $channel } cannot be reached. Other ways to pay still work.
account-none = No merchant account is set up
account-none-hint = The till is in training mode. Add an account to take real money.

error-title = That did not work
error-nothing-taken = Nothing was taken.
error-unreachable = The Payment API cannot be reached. Nothing new was sent. Check that it runs, then try again.
error-timed-out = No answer in time. It is being found out whether the payment was begun. Do not ask for money again yet.
error-unreadable = The Payment API gave an answer that this till does not understand. Install the same version on both.
error-invalid-request = The Payment API did not take the request. Nothing was taken. Check the entry and try again.
error-not-found = There is no such payment. Read the list again.
error-changed-meanwhile = The payment has changed meanwhile. Nothing was done. Look at it again.
error-not-possible-now = This is not possible as the payment stands. Look at it again.
error-auth-code-spent = Nothing was sent. This payment code was used already. Ask the customer for a fresh one.
error-auth-code-rejected = Nothing was sent. This is no payment code. Ask the customer to show the payment code.
error-idempotency-mismatch = Nothing was sent. The same key was used for another request. Begin the sale anew.
error-done-before = This was done before. Look at the list.
error-disk-full = The disk is full. No new payment can begin. Free some space; what was confirmed is safe.
error-books-unavailable = The books cannot be written. No new payment can begin. What was confirmed is safe. Tell the manager.
error-channel-not-open = Nothing was sent. The shop does not take this channel. Ask for another wallet.
error-no-account = Nothing was sent. No merchant account is set up for this. Tell the manager.
error-amount-out-of-range = Nothing was sent. The channel does not take an amount of this size.
error-busy = Another code is being tried. Wait for its end.
error-payment-over = This sale is over. Begin a new one.
error-too-many-attempts = Nothing was sent. This sale was tried too often. Begin a new one.
error-id-invalid = Nothing was sent. A number in the request is not valid. Begin the sale anew.
error-unsigned-request = The Payment API does not know this till. Register the till again.
error-bad-signature = The Payment API does not accept this till's key. Register the till again.
error-stale-request = This machine's clock is wrong. Nothing was sent. Set the clock, then try again.
error-replayed-request = The request was sent twice and counted once. Look at the list.
error-sign-in-needed = Nobody is signed in. Nothing was done. Sign in with your PIN, then try again.
error-session-over = You are no longer signed in. Nothing was done. Sign in with your PIN, then try again.
error-role-too-low = You may not do this, and nothing was done. Ask somebody who may to sign in.
error-unauthorized = This till may not do that. Ask the manager.
error-internal = Something went wrong inside the Payment API. Look at the sale before you ask for money again.
error-port-taken = The address { $address } is in use by another program. Close it, or choose another with --listen.
error-support = For support: { $code }

## Keys

keys-title = Keys
keys-amount = Type the amount
keys-collect = Collect; after the result: next sale
keys-cancel = Cancel; close what is open
keys-backspace = Take the last digit back
keys-clear = Clear the amount
keys-note = Add a note
keys-type-code = Type a payment code
keys-help = These keys
keys-sales = Sales
keys-takings = Takings
keys-refund = Refund
keys-phone = Training phone
keys-display = Customer's display
keys-settings = Settings
keys-lock = Lock
keys-theme = Light or dark
keys-language = Change the language
keys-up-down = Up and down in a list
keys-open = Open the chosen sale
keys-scan-hint = A scanner works at any time, whatever is open.

## Voice line after a success

voice-received = { $channel }, { $amount } received

## The counter's own lines

title-cashier = cashier
title-customer = customer's display

amount-enter = Enter an amount first.
amount-no-more-decimals = An amount has two decimals at most. The last key was not taken.
amount-over-limit = One sale takes at most 100,000,000.00. The last key was not taken.
cashier-enter-first = Nothing was sent. Press Enter first, then scan the code again.

collect-opening = Opening the sale
collect-opening-body = This takes a moment.
collect-submitting = Asking { $channel }
collect-submitting-body = The code was read and is with the provider.
collect-confirming = Customer confirms
collect-confirming-body = The customer has to enter the password or confirm in { $channel }. Do not ask for money again.
collect-unknown-body = Asking { $channel } whether the customer has paid. Do not ask for money again yet. If no answer comes, the payment is taken back by itself.
collect-closing = Money is in
collect-closing-body = Closing the other ways to pay. This takes a moment.
collect-cancelling = Cancelling
collect-cancelling-body = Not cancelled yet: the provider is asked first. The customer may have paid this very moment.
collect-reversing = Taking it back
collect-reversing-body = Waiting for the provider to confirm. Do not ask for money again yet.
collect-cashier = Time ran out
collect-cashier-body = Look at the shop's account: has the money arrived? Then confirm it, or cancel.
action-cancelling = Cancelling…
hint-cancel-not-sent = Not cancelled: the Payment API did not answer. The sale is still open. Press Esc to try again.
the-provider = the provider

await-preparing = Getting a code
await-code-shown = Code is shown, not scanned yet
await-submitted = Code read, asking
await-confirming = Customer confirms on the phone
await-asking = No clear answer, asking again
await-voiding = Being closed
await-paid = Paid
await-refused = Refused
await-closed = Closed
await-limits = Not for this amount
await-no-code = No code. Scan the customer's code
await-scan-only = Scan the customer's code

result-run-out = Nobody paid in time
result-offer-again = offer the same amount again
result-cancelled-body = Nothing was taken from the customer.
result-expired-body = Nothing was taken. The codes are closed.
result-reversed-body = Not paid. What had been taken went back to the customer.
result-refunded-body = The money went back to the customer.

notice-code-runs-out = The code of { $channel } that was shown runs out in a few minutes. If it is paid until then, the money goes back by itself.
notice-paid-despite-cancel = The customer had already paid when you cancelled. The sale stands.
notice-paid-twice = Paid twice in the same moment. The payment by { $channel } goes back by itself.
notice-paid-twice-returned = Paid twice in the same moment. The payment by { $channel } went back to the customer.

camera-starting-hint = You can type an amount meanwhile.
camera-off-hint = Choose a camera in the settings (F5).
settings-camera-none = No camera
settings-more = More

display-checking = One moment please

sale-way = How
sale-paid-at = Paid
sale-reason = Why
sale-provider-words = The provider's words
sale-code-until = shown until { $time }
story-broken = The story of this sale cannot be read right now.
takings-unavailable = The takings cannot be read right now.

broken-title = The till cannot start
broken-body = No money was taken. This is what is in the way:

close-title = A sale is under way
close-body = If you close now, the payment goes on and is brought to its end at the next start. Its result is then in the list of sales.
close-stay = Stay
close-anyway = Close

## Function keys and the page of keys

key-back = back
key-sales = sales
key-takings = takings
key-settings = settings
key-phone = training phone
key-help = keys

help-sale = At the counter
help-pages = Pages
help-window = Window
help-digits = Type the amount; after a result, the next one
help-backspace = Take the last digit back; Delete clears all
help-enter = Collect; after a failure, the same amount again
help-escape = Clear; while collecting: cancel
help-code-on-request = While collecting: show a code that cannot be closed
help-arrived = While collecting: the money is on the shop's account
help-note = A note, and back to the amount
help-type-code = Type the digits of a payment code
help-paste = Paste an amount or a payment code
help-help = This page
help-sales = Sales; Enter opens one
help-takings = Takings; ← → change the day
help-settings = Settings
help-phone = Training phone; its keys are with Alt
help-list = Up and down in a list
help-language = Change the language
help-theme = Light or dark
help-customer = Open or close the customer's display
help-scanner = A hand scanner works at any time, whatever is open. It never types into the amount or the note.

## What a trade is in the provider's own books

trade-success = Paid
trade-wait-buyer-pay = Asked
trade-created = Order open
trade-reversed = Taken back
trade-closed = Closed
trade-refused = Refused
trade-refunded = Returned

## Merchant accounts

settings-accounts-open = Accounts and keys…
accounts-title = Merchant accounts
accounts-add = New account
accounts-none-hint = With no account of your own the till is in training mode: no real money moves. Add the account that your provider gave you.
accounts-state-live = Live
accounts-state-training = Training
accounts-state-off = Off
accounts-state-problem = Cannot be used
accounts-every-store = Every store
accounts-sealed = Sealed
accounts-fact-gateway = Gateway
accounts-fact-stores = Stores
accounts-fact-old-keys = Old keys count until
accounts-test = Test
accounts-renew = New keys
accounts-turn-on = Turn on
accounts-turn-off = Turn off
accounts-remove = Remove
accounts-remove-title = Remove { $name }?
accounts-remove-body = No more payments go through it, and its keys are forgotten. Sales that were paid through it stay in the books.
accounts-keep = Keep it
accounts-step-provider = Provider
accounts-step-credentials = Keys
accounts-step-test = Test and save
accounts-choose-title = Who pays you out?
accounts-choose-body = Choose the provider that you have a contract with. The numbers and keys are on its merchant platform.
accounts-about-alipay = Customers scan your code or show theirs. Public keys or certificates.
accounts-about-wechatpay = Customers scan your code or show theirs. APIv3, or APIv2 for older merchants.
accounts-about-unionpay = Bank cards by code, in UnionPay's and the banks' own apps.
accounts-about-bank-transfer = A code with your bank account, the amount and the reference. No provider: you see the money arrive and confirm.
accounts-form-title = { $channel }: numbers and keys
accounts-renew-title = { $name }: new keys
accounts-name = What you call it
accounts-optional = optional
accounts-look-here = look here
accounts-how = Paste it (Ctrl V), or pick its file (Ctrl O)
accounts-stays = stays as it is
accounts-pasted = { $count } characters pasted
accounts-from-file = { $file }, { $count } characters
accounts-paste = Paste
accounts-pick = Pick a file
accounts-pick-title = File for: { $field }
accounts-save = Save
accounts-sealed-hint = Keys are sealed on this machine and never shown again. Nothing is charged by a test.
accounts-gateway-live = Live
accounts-gateway-test = Provider's test gateway
accounts-no-gateway = There is no provider to test with: the code is made on this machine, and you confirm that the money came in.
account-test-asking = Asking the provider…
account-test-good = It works. The provider knows this account, and both signatures are right. Nothing was charged.
account-test-not-asked = The test could not be made.
account-fault-host-unknown = The gateway's address cannot be found. Check the network and its name service (DNS), and the address.
account-fault-unreachable = The gateway cannot be reached. Check the network, the proxy and the firewall, then test again.
account-fault-tls = The secure connection failed. Check the address, this machine's clock, a proxy that opens secure connections, and the merchant's certificate.
account-fault-timeout = The gateway did not answer in time. Check the network and test again.
account-fault-clock-skew = The provider refuses this machine's clock. Set it, best by the network (NTP), and test again.
account-fault-clock-ahead = This machine's clock is { $minutes } minutes ahead of the provider's. Set it, best by the network (NTP), and test again.
account-fault-clock-behind = This machine's clock is { $minutes } minutes behind the provider's. Set it, best by the network (NTP), and test again.
account-fault-wrong-key = The provider refuses the signature: this private key is not the account's. Enter the key whose public half was uploaded at the provider's console.
account-fault-wrong-app-id = The provider does not know this application id. Copy it from the console; test and live have different ones.
account-fault-wrong-merchant = The provider does not know this merchant number, or it is not bound to the application. Check both at the console.
account-fault-certificate-expired = The certificate has expired, or is not valid yet. Get a fresh one at the provider's console.
account-fault-certificate-unknown = The provider does not know the certificate, or its chain is broken. Download all certificates again and enter them.
account-fault-provider-key-wrong = The provider's answer does not fit the provider's key that was entered. Copy the provider's own key; it is not the one that you made.
account-fault-api-key-wrong = The API key does not open what the provider sealed. Copy the key that is set at the provider's console, or set a new one.
account-fault-no-permission = The account has no permission for this kind of payment. Sign the contract for payment in shops at the provider's console.
account-fault-provider-down = The provider is out of order at the moment. Wait, then test again.
account-fault-refused = The provider refused for another reason. Its words are below; its support knows the code.
account-fault-credential = One of the entries cannot be read. Check it, and enter it again.
account-fault-algorithm-off = This account may not use that algorithm. Choose another way to sign, or let an administrator turn it on.
account-warning-weak-algorithm = A weak algorithm is turned on for this account, because its provider has nothing else:
account-warning-not-encrypted = The gateway's address is not encrypted (http).
account-warning-key-in-file = The key that seals this account lies in a file on this machine. A keyring or a passphrase is safer.
credential-alipay-app-id = Application id (APPID)
credential-alipay-seller-id = Merchant id (PID)
credential-alipay-app-private-key = Application private key
credential-alipay-mode = How keys are exchanged
credential-alipay-alipay-public-key = Alipay public key
credential-alipay-app-certificate = Application certificate
credential-alipay-alipay-certificate = Alipay certificate
credential-alipay-alipay-root-certificate = Alipay root certificate
credential-alipay-aes-key = Content encryption key (AES)
credential-wechatpay-api-version = Version of the API
credential-wechatpay-appid = Application id (APPID)
credential-wechatpay-mchid = Merchant number
credential-wechatpay-merchant-serial = Certificate serial number
credential-wechatpay-merchant-private-key = Merchant API private key
credential-wechatpay-merchant-certificate = Merchant API certificate
credential-wechatpay-api-v3-key = APIv3 key
credential-wechatpay-platform-public-key = WeChat Pay public key
credential-wechatpay-platform-public-key-id = Public key id
credential-wechatpay-platform-certificate = Platform certificate
credential-wechatpay-api-v2-key = APIv2 key
credential-wechatpay-sign-type = How APIv2 signs
credential-unionpay-mer-id = Merchant number (merId)
credential-unionpay-sign-p12 = Signing certificate (.pfx)
credential-unionpay-sign-p12-password = Password of the .pfx file
credential-unionpay-middle-certificate = UnionPay's middle certificate
credential-unionpay-root-certificate = UnionPay's root certificate
credential-unionpay-common-name = Name in UnionPay's certificate
credential-unionpay-file-base-url = Address of the settlement files

## Money that the cashier sees arrive

await-on-request = Scan its code, or show ours with *
collect-show-code-of = { $channel } code
await-cashier-watches = Watch the shop's account
collect-arrived = Money has arrived
collect-arrived-yes = Yes, it is there
collect-arrived-title = Is { $amount } on the account?
collect-arrived-body = Look for reference { $number } and the exact amount. Enter: yes, it is there, the sale is paid. Esc: not yet.

## Refunds

key-refund = Refund
refund-of = of { $amount }, { $channel }
refund-left = { $amount } can be returned
refund-reason = Why
refund-reason-needed = Say why: paid back by hand, it is written into the books.
refund-none-left = Nothing of this sale can be returned any more.
refund-too-much = At most { $amount } can be returned.
refund-whole-only = This channel returns the whole amount or nothing.
refund-by-hand = The provider cannot return it. Pay the customer back yourself; this writes it into the books.
refund-go = Return { $amount }
refund-sure-title = Return { $amount } to the customer?
refund-sure-body = It goes back the way it came. It cannot be called back.
refund-sure-hand = Have you paid { $amount } back to the customer?
refund-sending = Asking for the refund…
event-refund-started = Refund asked for by { $by }
event-refund-succeeded = The refund went back to the customer
event-refund-failed = The refund was refused: { $reason }
event-cashier-confirmed = { $by } saw the money arrive
event-arrived-late = Money arrived after the sale was over
event-surplus-owed = Paid once too often: pay try { $no } back by hand
attempt-surplus-owed = Paid once too often, to be paid back by hand
pending-awaiting-cashier = Time ran out. Look at the shop's account
pending-awaiting-cashier-next = Has the money arrived? Then confirm it, or cancel.
pending-awaiting-cashier-short = Look
refund-reason-optional = Why (optional)
help-refund = Refund the sale that is open or chosen
error-notification-unmatched = A provider tells of money that fits no sale here. Tell the manager: it is kept under notices.
credential-wechatpay-gateway-root-certificate = Root certificate of the connection
credential-bank-transfer-scheme = Scheme
credential-bank-transfer-promptpay-kind = Kind of PromptPay number
credential-bank-transfer-promptpay-id = PromptPay number
credential-bank-transfer-pix-key = PIX key
credential-bank-transfer-pix-name = Name
credential-bank-transfer-pix-city = City
credential-bank-transfer-paynow-kind = Kind of PayNow number
credential-bank-transfer-paynow-id = PayNow number
credential-bank-transfer-paynow-name = Name
credential-bank-transfer-upi-address = UPI id
credential-bank-transfer-upi-name = Name
credential-bank-transfer-sepa-iban = IBAN
credential-bank-transfer-sepa-bic = BIC
credential-bank-transfer-sepa-name = Account holder
credential-bank-transfer-swiss-iban = IBAN or QR-IBAN
credential-bank-transfer-swiss-currency = Currency
credential-bank-transfer-swiss-name = Account holder
credential-bank-transfer-swiss-street = Street
credential-bank-transfer-swiss-house = House number
credential-bank-transfer-swiss-postcode = Postal code
credential-bank-transfer-swiss-town = Town
credential-bank-transfer-swiss-country = Country

## What is made of a code in the camera's picture (a few words; `seen-` and a CodeRejection's kind)

seen-taken = { $channel }: read
seen-amount-first = Enter the amount first
seen-enter-first = Press Enter first
seen-not-open = { $channel } is not taken here
seen-used = { $channel }: used already, ask for a fresh code
seen-empty = Nothing in it
seen-web-address = A web address, not a payment code
seen-merchant-code = A merchant's code, not the customer's
seen-card-code = A bank card's code, not taken here
seen-product = A product's barcode
seen-wifi = A Wi-Fi code
seen-contact = A contact card
seen-text = Text, not a payment code
seen-too-short = Too few digits for a payment code
seen-too-long = Too many digits for a payment code
seen-unknown-prefix = No known wallet's code
camera-failed-hint = Unplug it and plug it in again. Scanners and typing work meanwhile.

## Setting up cameras and scanners

settings-scanners = Camera and scanners…
scanners-title = Camera and scanners
scanners-camera = Camera
scanners-keyboard = Keyboard scanner
scanners-serial = Serial scanner
scanners-camera-hint = Hold a payment code up: here it is only read, never charged.
scanners-keyboard-hint = For scanners that type like a keyboard. Scan any code here: it is shown sign by sign, and never charged.
scanners-serial-hint = For scanners at a serial port (USB-COM or RS-232). Scan any code here: it is shown sign by sign, and never charged.
scanners-mirror = Mirror the picture
scanners-port-none = No serial scanner
scanners-speed = Speed
scanners-ends = Ends with
scanners-begins = Begins with
scanners-pause = Pause that ends it
scanners-gap = Longest gap between keys
scanners-length = Fewest characters
scanners-ms = { $ms } ms
scanners-suffix-any = Enter or Tab
scanners-suffix-enter = Enter
scanners-suffix-tab = Tab
scanners-suffix-none = a pause
scanners-ending-line = CR or LF
scanners-ending-tab = Tab
scanners-ending-pause = a pause
scanners-empty = Scan a code: what arrives is shown here, sign by sign.
scanners-arrived = What arrived
scanners-arrived-sum = { $count } signs. Below each: milliseconds since the one before; the longest gap was { $ms } ms.
scanners-keyboard-ready = Ready. A keyboard scanner works at any time, whatever is open.
scanners-port-off = No serial scanner is chosen.
scanners-port-opening = Opening the port…
scanners-port-open = Open: { $port }
scanners-port-no-port = { $port } is not there. Plug the scanner in; it then comes by itself.
scanners-port-busy = Another program uses { $port }. Close it; the scanner then comes by itself.
scanners-port-forbidden = This user may not use { $port }. Add the user to the group "dialout" and log in again.
scanners-port-refused = { $port } cannot be read. Choose another port or speed.
scanners-made-payment = A payment code. The till takes it.
scanners-made-scan = A scan, but no payment code
scanners-made-typing = Taken for typing, not for a scan
scanners-made-unended = Not taken: its end did not come
scanners-unended-why = The code does not end as is set, or does not begin so.
scanners-typing-slow = The longest gap between its keys was { $ms } ms, more than is set.
scanners-typing-prefix = It does not begin as is set.
scanners-typing-short = It has { $count } characters, fewer than are set.
scanners-typing-suffix = It does not end as is set.
scanners-garbled = These are no characters. At { $speed } the speed is probably wrong: choose another one and scan again.
scanners-suggest = Settings for this scanner
scanners-suggest-ends = Ends with: { $end }
scanners-suggest-gap = Longest gap: { $ms } ms
scanners-suggest-prefix = Begins with: { $prefix }
scanners-suggest-use = Use these
camera-set-exposure-automatic = Exposure: automatic
camera-set-exposure-fixed = Exposure: fixed at 10 ms, since the camera cannot choose it
camera-set-exposure-refused = Exposure: the camera refused the setting
camera-set-exposure-absent = Exposure: cannot be set on this camera
camera-set-steady-rate-automatic = Frame rate: kept in the dark
camera-set-steady-rate-fixed = Frame rate: kept in the dark
camera-set-steady-rate-refused = Frame rate: may fall in the dark, the camera refused the setting
camera-set-steady-rate-absent = Frame rate: in the dark the camera's own choice
camera-set-focus-automatic = Focus: continuous
camera-set-focus-fixed = Focus: fixed near, since the camera cannot follow
camera-set-focus-refused = Focus: the camera refused the setting
camera-set-focus-absent = Focus: cannot be set on this camera
