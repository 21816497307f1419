use maxmargin::import::*;
use std::path::Path;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let (p, _) =
        load_problem(Path::new(&a[1]), Path::new(&a[2]), &Default::default(), &Default::default())
            .unwrap();
    let q = |s: &str| maxmargin_kernel::number::parse_rational(s).unwrap();
    println!("{:?}", p.facts());
    for (d, e) in [("0.01", "0"), ("0.01", "1e-4"), ("0.01", "1e-2"), ("1e-5", "1e-6")] {
        let t = std::time::Instant::now();
        let r = maxmargin::prove::kkt_residual::prove(&p, &q(d), &q(e));
        match r {
            Some(e) => println!("{d} {:?} {:?}", e.claim.to_string(), t.elapsed()),
            None => println!("none"),
        }
    }
    let e = maxmargin::prove::norm_bound::prove(&p).unwrap();
    println!("{}", e.claim);
    println!("{:?}", p.normalised_margin().map(|x| maxmargin::numeric::two_layer::to_f64(&x.0)));
}
