//! A hash that is the same in every release and on every machine, for what is kept.

/// FNV-1a, 64 bits (RFC 9923), over parts of which the lengths count too, as 16 hexadecimal digits.
pub fn of(parts: &[&[u8]]) -> String {
    let length = |part: &[u8]| (part.len() as u64).to_le_bytes();
    let all = parts
        .iter()
        .flat_map(|part| length(part).into_iter().chain(part.iter().copied()));
    format!("{:016x}", fold(all))
}

/// The same over one value, of which the length does not count.
pub fn of_value(value: &[u8]) -> String {
    format!("{:016x}", fold(value.iter().copied()))
}

fn fold(bytes: impl Iterator<Item = u8>) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    bytes.fold(OFFSET, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(PRIME)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_it_always_was_and_parts_do_not_run_together() {
        assert_eq!(of_value(b""), "cbf29ce484222325");
        assert_eq!(of_value(b"a"), "af63dc4c8601ec8c");
        assert_eq!(of(&[b"ab", b"c"]), of(&[b"ab", b"c"]));
        assert_ne!(of(&[b"ab", b"c"]), of(&[b"a", b"bc"]));
    }
}
