use crate::{Files, data, data_by, samples};
use maxmargin::import::{CsvError, ImportError, Source};
use maxmargin_kernel::number::ParseNumberError;
use maxmargin_kernel::problem::DataError;

#[test]
fn decimals_are_exact() {
    let files = Files::new();
    let path = files.write("d.csv", "0.1,-2.5e-1,1\n1e2,3/4,-1.0\n");
    let set = data(&path).unwrap();
    assert_eq!(samples(&set), [["1/10", "-1/4"], ["100", "3/4"]]);
    assert_eq!(set.data.labels(), [1, -1]);
    assert_eq!(set.source, Source::Floats);
}

#[test]
fn headers_quotes_and_line_ends() {
    let files = Files::new();
    for text in [
        "a,b,y\n1,2,0\n3,4,1\n",
        "\u{feff}a, b ,y\r\n1, 2,0\r\n\r\n3,4 ,1",
        "\"a\",\"b,\nc\",y\n\"1\",2,0\n\n3,4,1\n\n",
        "# a,b,y\n1,2,0\n3,4,1\n",
    ] {
        let path = files.write("d.csv", text);
        let set = data(&path).unwrap();
        assert_eq!(samples(&set), [["1", "2"], ["3", "4"]], "{text}");
        assert_eq!(set.data.labels(), [0, 1]);
    }
}

#[test]
fn label_columns() {
    let files = Files::new();
    let path = files.write("d.csv", "y,a,b\n0,5,6\n1,7,8\n");
    for label in ["y", "0"] {
        let set = data_by(&path, label).unwrap();
        assert_eq!(samples(&set), [["5", "6"], ["7", "8"]]);
        assert_eq!(set.data.labels(), [0, 1]);
    }
    for label in ["c", "3", "-1"] {
        let facts = [&format!("`{label}`")[..], "`y`, `a`, `b`"];
        assert_error!(data_by(&path, label), path, ImportError::LabelColumn { .. }, facts);
    }
    let path = files.write("d.csv", "5,0,6\n7,1,8\n");
    assert_eq!(data_by(&path, "1").unwrap().data.labels(), [0, 1]);
    let facts = ["`y`", "`0`, `1`, `2`"];
    assert_error!(data_by(&path, "y"), path, ImportError::LabelColumn { .. }, facts);
}

/// Line, column and kind of what is wrong with a file.
fn place(bytes: &[u8]) -> (u64, usize, CsvError) {
    let files = Files::new();
    let path = files.write("d.csv", bytes);
    match data(&path).unwrap_err() {
        ImportError::Csv { file, line, column, error } => {
            assert_eq!(file, path);
            (line, column, error)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn places_are_named() {
    let number = |text: &str| CsvError::Number(ParseNumberError::Syntax(text.into()));
    let label = |text: &str| CsvError::Label(text.into());
    for (bytes, expected) in [
        ("1,2,0\n3,x,1\n", (2, 2, number("x"))),
        ("a,b,y\n\n\n1,2,0\n\n3,nan,1\n", (6, 2, number("nan"))),
        ("a,b,y\r\n1,2,0\r\n\r\n3,inf,1\r\n", (4, 2, number("inf"))),
        ("\"a\nb\",c,y\n1,2,0\n3,+4,1\n", (4, 2, number("+4"))),
        ("1,2,0\n3;4;1,1,1\n", (2, 1, number("3;4;1"))),
        ("1,2,0\n3,4,setosa\n", (2, 3, label("setosa"))),
        ("1,2,0\n3,,1\n", (2, 2, CsvError::Empty)),
        ("1,,0\n3,4,1\n", (1, 2, CsvError::Empty)),
        ("1,2,0\n3,4, \n", (2, 3, CsvError::Empty)),
        ("1,2,0\n3,4,0.5\n", (2, 3, label("0.5"))),
        ("1,2,0\n3,4,99999999999999999999\n", (2, 3, label("99999999999999999999"))),
        ("1,2,0\n3,4\n", (2, 3, CsvError::Ragged { found: 2, expected: 3 })),
        ("1,2,0\n3,4,5,1\n", (2, 4, CsvError::Ragged { found: 4, expected: 3 })),
        ("a\n1\n", (1, 1, CsvError::NoFeatures)),
    ] {
        assert_eq!(place(bytes.as_bytes()), expected, "{bytes}");
    }
    let (line, column, error) = place(b"1,2,0\n3,\xff,1\n");
    assert!(matches!((line, column, &error), (2, 2, CsvError::Text(_))), "{line} {column} {error}");
    let files = Files::new();
    let path = files.write("d.csv", "1,2,0\n3,x,1\n");
    let facts = ["line 2, column 2: `x` is not a number"];
    assert_error!(data(&path), path, ImportError::Csv { .. }, facts);
}

#[test]
fn first_lines_that_are_neither() {
    let error = |text: &str| place(text.as_bytes());
    assert_eq!(error("0,1,target\n1,2,0\n"), (1, 3, CsvError::MixedHeader("target".into())));
    assert_eq!(error("1.O,2,0\n1,2,1\n"), (1, 1, CsvError::MixedHeader("1.O".into())));
    // What pandas writes unless told not to: the index would become a feature.
    assert_eq!(error(",a,y\n0,5,0\n1,6,1\n"), (1, 1, CsvError::Unnamed));
}

#[test]
fn sets_that_are_no_sets() {
    let files = Files::new();
    for text in ["", "\n", "a,b,y\n"] {
        let path = files.write("d.csv", text);
        assert_error!(
            data(&path),
            path,
            ImportError::Data { error: DataError::Empty, .. },
            ["no samples"]
        );
    }
    let path = files.write("d.csv", "1,2,1\n3,4,1\n");
    let facts = ["all 2 samples have label 1", "exact JSON"];
    assert_error!(data(&path), path, ImportError::OneClass { .. }, facts);
    for (text, facts) in [
        ("1,2,1\n3,4,-2\n", ["sample 1", "label -2"]),
        ("1,2,-1\n3,4,2\n", ["sample 1", "label 2"]),
        ("1,2,0\n3,4,-1\n", ["sample 0", "label 0"]),
    ] {
        let path = files.write("d.csv", text);
        assert_error!(data(&path), path, ImportError::Label { .. }, facts);
    }
}

#[test]
fn long_common_denominators_are_limited() {
    // 1/p for 40 000 primes p: a product of some 700 000 bits, 40 000 times.
    let mut sieve = vec![true; 500_000];
    let mut cells = Vec::new();
    for n in 2..sieve.len() {
        if sieve[n] {
            cells.push(format!("1/{n}"));
            (n..sieve.len()).step_by(n).for_each(|k| sieve[k] = false);
        }
    }
    let files = Files::new();
    let path = files.write("d.csv", format!("{},1\n", cells.join(",")));
    assert_error!(data(&path), path, ImportError::TooLarge { .. }, ["exact form", "bytes"]);
    // As many decimals share their denominator.
    let decimals = vec!["0.123456789"; cells.len()].join(",");
    let path = files.write("d.csv", format!("{decimals},1\n{decimals},0\n"));
    assert_eq!(data(&path).unwrap().data.sample(1).len(), cells.len());
}
