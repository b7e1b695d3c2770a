//! One body of code for several widths of vector registers, the widest chosen where it runs.
//!
//! The body is plain Rust, compiled again for each set of instructions. No sum is reordered and,
//! except where a function asks for it, no multiply-add fused in any of them, so that all give the
//! same bits.

/// Defines a function whose body is compiled for AVX-512, AVX2 and whatever every processor of the
/// platform has; a call takes the best that this processor has. A function that names a constant is
/// told by it whether [`times_plus`] fuses: only where roundings may differ from width to width.
macro_rules! at_any_width {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $kind:ty),* $(,)?) $(-> $out:ty)? $body:block) => {
        $crate::width::at_any_width! {
            $(#[$doc])*
            $vis fn $name<const _FUSED: bool>($($arg: $kind),*) $(-> $out)? $body
        }
    };
    ($(#[$doc:meta])* $vis:vis fn $name:ident<const $fused:ident: bool>($($arg:ident: $kind:ty),* $(,)?) $(-> $out:ty)? $body:block) => {
        $(#[$doc])*
        $vis fn $name($($arg: $kind),*) $(-> $out)? {
            #[inline(always)]
            fn body<const $fused: bool>($($arg: $kind),*) $(-> $out)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
                fn with_avx512($($arg: $kind),*) $(-> $out)? {
                    body::<true>($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn with_avx2($($arg: $kind),*) $(-> $out)? {
                    body::<true>($($arg),*)
                }
                match $crate::width::widest() {
                    // SAFETY: `widest` has just seen that this processor has these instructions.
                    $crate::width::Width::Avx512 => return unsafe { with_avx512($($arg),*) },
                    // SAFETY: as above.
                    $crate::width::Width::Avx2 => return unsafe { with_avx2($($arg),*) },
                    $crate::width::Width::Any => {}
                }
            }
            body::<false>($($arg),*)
        }
    };
}
pub(crate) use at_any_width;

/// `a · b + c`, rounded once where it is fused, else twice.
#[inline(always)]
pub fn times_plus<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED {
        a.mul_add(b, c)
    } else {
        a * b + c
    }
}

#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    Avx512,
    Avx2,
    Any,
}

/// The widest registers that may be used. `DECONFLICT_WIDTH` (`avx2`, `any`) asks for less.
#[cfg(target_arch = "x86_64")]
pub fn widest() -> Width {
    use std::sync::OnceLock;
    static WIDEST: OnceLock<Width> = OnceLock::new();
    *WIDEST.get_or_init(|| {
        // Every processor with the one has the other.
        let has_avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let has_avx512 = has_avx2
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        let most = std::env::var("DECONFLICT_WIDTH").unwrap_or_default();
        if has_avx512 && most != "avx2" && most != "any" {
            Width::Avx512
        } else if has_avx2 && most != "any" {
            Width::Avx2
        } else {
            Width::Any
        }
    })
}
