use super::excerpt;
use crate::Parameters;

const KEY: &str = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";

#[test]
fn long_text_is_cut_and_control_characters_are_escaped() {
    assert_eq!(excerpt("short\n"), "short\\n");
    let cut = excerpt(&"0a".repeat(100));
    assert_eq!(cut, format!("{}…", "0a".repeat(20)));
}

#[test]
fn a_key_is_never_repeated_wherever_it_was_pasted() {
    for (name, value) in [
        ("Jc", KEY.to_owned()),
        ("Jc", format!("5 {KEY}")),
        ("S1", format!("\"{KEY}\"")),
        ("H1", format!("{KEY} # a key")),
        ("H1", format!("1-{KEY}")),
        ("I1", KEY.to_owned()),
        ("I1", format!("<b 0x{KEY}>")),
        ("I1", format!("<{KEY}>")),
        ("I1", format!("<r {KEY}")),
        ("KeepalivePadding", format!("x={KEY}")),
        (KEY, "1".to_owned()),
    ] {
        let errors = Parameters::from_settings([(name, value.as_str())]).unwrap_err();
        for error in errors {
            let text = error.to_string();
            // Not even a part of it that would help a search.
            assert!(!text.contains(&KEY[..8]), "{name} = {value}: {text}");
        }
    }
}
