//! Texts cut to what a provider takes.

/// The beginning of `text` that has at most `bytes` bytes, whole characters. The providers do not say whether their
/// limits count characters or bytes: what fits in bytes fits in both.
pub(super) fn at_most(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_stay_whole() {
        assert_eq!(at_most("咖啡", 6), "咖啡");
        assert_eq!(at_most("咖啡", 5), "咖");
        assert_eq!(at_most("咖啡", 2), "");
        assert_eq!(at_most("tea", 100), "tea");
    }
}
