//! One line for each set and reader.

/// What a reader did with a set.
#[derive(Default)]
pub struct Row {
    frames: usize,
    read: usize,
    /// Texts that are none of the truth's.
    false_codes: usize,
    ms: Vec<f64>,
}

impl Row {
    pub fn add(&mut self, ms: f64, truth: &str, texts: &[String]) {
        self.time(ms);
        self.count(truth, texts);
    }

    pub fn time(&mut self, ms: f64) {
        self.ms.push(ms);
    }

    /// Line ends count as spaces: files of truth differ in them.
    pub fn count(&mut self, truth: &str, texts: &[String]) {
        let same = |text: &&String| text.split_whitespace().eq(truth.split_whitespace());
        let right = texts.iter().filter(same).count();
        self.frames += 1;
        self.false_codes += texts.len() - right;
        self.read += usize::from(if truth.is_empty() { texts.is_empty() } else { right > 0 });
    }
}

pub fn head() {
    println!("{:20} {:10} {:>9} {:>6} {:>8} {:>8} {:>8}", "set", "reader", "right", "false", "median", "p95", "max ms");
}

pub fn line(set: &str, reader: &str, row: &Row) {
    let mut ms = row.ms.clone();
    ms.sort_by(f64::total_cmp);
    let at =
        |share: usize| ms.get((ms.len() * share / 100).min(ms.len().saturating_sub(1))).copied().unwrap_or_default();
    let right = format!("{}/{}", row.read, row.frames);
    println!("{set:20} {reader:10} {right:>9} {:>6} {:>8.1} {:>8.1} {:>8.1}", row.false_codes, at(50), at(95), at(100));
}
