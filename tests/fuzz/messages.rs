//! Providers' answers, notifications and bills, damaged: what is not wholly as the provider sent it is not believed.

use scantill::channel::{BillKind, Channel, QueryOutcome, RawNotification};

use crate::house::{Answer, House, KINDS, day_of_now};
use crate::mutate::damaged;
use crate::run;

/// Every provider, in each of the ways that it speaks.
const WAYS: [(&str, &str); 4] = [("alipay", "public_key"), ("wechatpay", "v3"), ("wechatpay", "v2"), ("unionpay", "")];

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

#[test]
fn a_damaged_answer_is_unknown() {
    let runtime = runtime();
    for (name, way) in WAYS {
        let house = runtime.block_on(House::open());
        let channel = house.channel(name, way);
        let (trade, _) = runtime.block_on(house.sale(channel.as_ref()));
        let honest = runtime.block_on(channel.query(&trade));
        assert!(matches!(honest, QueryOutcome::Paid(_)), "{name} {way}: {honest:?}");
        let answer = house.kept();
        run(&damaged(vec![answer.body.clone()]), |body| {
            house.shut(Answer { body, ..answer.clone() });
            let told = runtime.block_on(channel.query(&trade));
            let believed = told == honest || matches!(told, QueryOutcome::Unknown(_));
            // A gateway that does not know us cannot sign: it can say that it has no such order, and no more.
            assert!(believed || told == QueryOutcome::NotFound, "{name} {way}: {told:?}");
        });
    }
}

#[test]
fn a_damaged_notification_says_nothing() {
    let runtime = runtime();
    for (name, way) in WAYS {
        let house = runtime.block_on(House::open());
        let channel = house.channel(name, way);
        let (_, raw) = runtime.block_on(house.sale(channel.as_ref()));
        let now = jiff::Timestamp::now().as_millisecond();
        let honest = channel.read_notification(&raw, now).unwrap_or_else(|error| panic!("{name} {way}: {error}"));
        run(&damaged(vec![raw.body.clone()]), |body| {
            let damaged = RawNotification { headers: raw.headers.clone(), body };
            if let Ok(told) = channel.read_notification(&damaged, now) {
                assert_eq!(told, honest, "{name} {way}");
            }
        });
    }
}

#[test]
fn a_damaged_bill_is_an_error_or_adds_up() {
    let runtime = runtime();
    for (name, way) in WAYS {
        let house = runtime.block_on(House::open());
        let channel = house.channel(name, way);
        let _ = runtime.block_on(house.sale(channel.as_ref()));
        let day = day_of_now(name);
        runtime.block_on(house.wait_for_files());
        for kind in KINDS {
            bill(&runtime, channel.as_ref(), day, kind, &format!("{name} {way} {kind:?}"));
        }
    }
}

fn bill(runtime: &tokio::runtime::Runtime, channel: &dyn Channel, day: jiff::civil::Date, kind: BillKind, what: &str) {
    let given = channel.capabilities().bill.as_ref().is_some_and(|bill| bill.kinds.contains(&kind));
    if !given {
        return;
    }
    let honest = runtime.block_on(channel.bill(day, kind)).unwrap_or_else(|error| panic!("{what}: {error}"));
    let read = channel.read_bill(kind, &honest.raw).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(read.lines, honest.lines, "{what}: a file read by hand is the file that was fetched");
    run(&damaged(vec![honest.raw.clone()]), |file| {
        if let Ok(bill) = channel.read_bill(kind, &file) {
            assert!(bill.lines.iter().all(|line| line.amount.minor >= 0), "{what}: {bill:?}");
        }
    });
}
