//! What a datagram may be: held to the rules of `awg-obfuscation` written down a second time.

use arbitrary::Arbitrary;
use awg_obfuscation::{Classified, MessageType, Obfuscation, Parameters};

use crate::input::{self, choose};
use crate::memory;
use crate::settings::Settings;

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    settings: Settings,
    /// Give the datagram the form of this message, with this word of its range.
    form: Option<(u8, u32)>,
    datagram: &'a [u8],
}

/// Classifies a datagram under settings, both from `data`.
///
/// # Panics
/// Where the answer is not what the rules say.
pub fn classification(data: &[u8]) {
    let Some(input) = input::read::<Input>(data) else {
        return;
    };
    let pairs = input.settings.pairs();
    let settings = pairs.iter().map(|(name, value)| (&**name, &**value));
    let Ok(parameters) = Parameters::from_settings(settings) else {
        return;
    };
    let obfuscation = Obfuscation::new(parameters.clone()).expect("they were validated");
    let mut datagram = input.datagram.to_vec();
    if let Some((number, word)) = input.form
        && let Some(&message) = choose(&MessageType::ALL, number)
    {
        shape(&obfuscation, message, word, &mut datagram);
    }
    let found: Vec<_> = memory::within(1 << 10, || obfuscation.classify(&datagram).collect());
    assert_eq!(found, expected(&obfuscation, &datagram));
}

/// Makes a datagram look like a message.
fn shape(obfuscation: &Obfuscation, message: MessageType, word: u32, datagram: &mut Vec<u8>) {
    let parameters = obfuscation.parameters();
    let (padding, header) = (
        usize::from(parameters.padding(message)),
        parameters.header(message),
    );
    let size = padding + message.bare_size();
    let may_be_longer = message == MessageType::Transport || parameters.random_trailers;
    if !may_be_longer || datagram.len() < size {
        datagram.resize(size, 0);
    }
    let span = u64::from(header.last() - header.first()) + 1;
    let word = header.first() + (u64::from(word) % span) as u32;
    datagram[padding..padding + 4].copy_from_slice(&word.to_le_bytes());
    obfuscation.toggle_protection(message, padding, datagram);
}

/// The rules, in the order in which they apply.
fn expected(obfuscation: &Obfuscation, datagram: &[u8]) -> Vec<Classified> {
    let parameters = obfuscation.parameters();
    let fits = |message: MessageType, offset: usize| {
        let mut clear = datagram.to_vec();
        obfuscation.toggle_protection(message, offset, &mut clear);
        let word = clear.get(offset..offset + 4)?;
        let word = u32::from_le_bytes(word.try_into().ok()?);
        let size = offset + message.bare_size();
        let is_bare = message == MessageType::Transport && offset == 0;
        let may_be_longer = match message {
            MessageType::Transport => !is_bare || parameters.padding_transport == 0,
            _ => parameters.random_trailers,
        };
        let sized = datagram.len() == size || may_be_longer && datagram.len() > size;
        (sized && parameters.header(message).contains(word)).then_some((message, offset))
    };
    let forms = MessageType::ALL
        .into_iter()
        .filter_map(|message| fits(message, parameters.padding(message).into()))
        .map(|found| (found, false));
    let bare = (parameters.padding_transport > 0 && !parameters.is_version_3())
        .then(|| fits(MessageType::Transport, 0))
        .flatten()
        .map(|found| (found, true));
    forms
        .chain(bare)
        .map(|((message, offset), bare_keepalive)| Classified {
            message,
            offset,
            bare_keepalive,
        })
        .collect()
}
