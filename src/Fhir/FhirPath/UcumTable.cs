using System.Globalization;

namespace Salus.Fhir.FhirPath;

/// <summary>A unit atom of UCUM.</summary>
/// <param name="Symbol">Its case-sensitive code.</param>
/// <param name="IsMetric">Whether it takes prefixes.</param>
/// <param name="Factor">How many of <paramref name="Unit"/> it is.</param>
/// <param name="Unit">The unit that defines it.</param>
/// <param name="Offset">What its zero is, in base units.</param>
/// <param name="Base">The dimension that it is the base of; -1 for none.</param>
/// <param name="IsArbitrary">Whether it is comparable with itself alone.</param>
sealed record UcumAtom(string Symbol, bool IsMetric, Ratio Factor, string Unit, Ratio Offset = default, int Base = -1, bool IsArbitrary = false);

/// <summary>The units that clinical records use: those of UCUM's tables 1 to 9 and what laboratories and vital signs need of the others.</summary>
static class UcumTable
{
    static readonly Dictionary<string, int> Prefixes = new()
    {
        ["Y"] = 24, ["Z"] = 21, ["E"] = 18, ["P"] = 15, ["T"] = 12, ["G"] = 9, ["M"] = 6, ["k"] = 3, ["h"] = 2, ["da"] = 1,
        ["d"] = -1, ["c"] = -2, ["m"] = -3, ["u"] = -6, ["n"] = -9, ["p"] = -12, ["f"] = -15, ["a"] = -18, ["z"] = -21, ["y"] = -24,
    };

    /// <summary>Code, factor and defining unit; a star before the code marks the metric ones.</summary>
    const string Derived = """
        *mol 6.0221367 10*23
        *sr 1 rad2
        *Hz 1 /s
        *N 1 kg.m/s2
        *Pa 1 N/m2
        *J 1 N.m
        *W 1 J/s
        *A 1 C/s
        *V 1 J/C
        *F 1 C/V
        *Ohm 1 V/A
        *S 1 /Ohm
        *Wb 1 V.s
        *T 1 Wb/m2
        *H 1 Wb/A
        *lm 1 cd.sr
        *lx 1 lm/m2
        *Bq 1 /s
        *Gy 1 J/kg
        *Sv 1 J/kg
        *kat 1 mol/s
        *U 1 umol/min
        *eq 1 mol
        *osm 1 mol
        *g% 1 g/dL
        *l 1 dm3
        *L 1 dm3
        *ar 100 m2
        *t 1000 kg
        *bar 100000 Pa
        *u 0.00000000000000000000000166054 g
        *eV 0.000000000000000000160217733 J
        *cal 4.184 J
        *cal_th 4.184 J
        *cal_IT 4.1868 J
        *Ci 37000000000 Bq
        *R 0.000258 C/kg
        *RAD 100 erg/g
        *REM 1 RAD
        *dyn 1 g.cm/s2
        *erg 1 dyn.cm
        *P 1 dyn.s/cm2
        *St 1 cm2/s
        *G 0.0001 T
        *m[H2O] 9806.65 Pa
        *m[Hg] 133322 Pa
        *st 1 m3
        *B 1 1
        *bit 1 1
        *By 8 bit
        *Bd 1 /s
        min 60 s
        h 60 min
        d 24 h
        wk 7 d
        a 1 a_j
        a_j 365.25 d
        a_t 365.24219 d
        a_g 365.2425 d
        mo 1 mo_j
        mo_j 30.4375 d
        mo_s 29.53059 d
        mo_g 30.436875 d
        10* 10 1
        [pi] 3.1415926535897932384626433833 1
        % 0.01 1
        [ppth] 0.001 1
        [ppm] 0.000001 1
        [ppb] 0.000000001 1
        deg 0.017453292519943295769236907685 rad
        ' 0.00029088820866572159615394846141 rad
        '' 0.0000048481368110953599358991410236 rad
        gon 0.9 deg
        atm 101325 Pa
        [psi] 1 [lbf_av]/[in_i]2
        [lbf_av] 4.4482216152605 N
        [g] 9.80665 m/s2
        [in_i] 2.54 cm
        [in_us] 2.540005080010160020 cm
        [ft_i] 12 [in_i]
        [ft_us] 12 [in_us]
        [yd_i] 3 [ft_i]
        [mi_i] 5280 [ft_i]
        [nmi_i] 1852 m
        [kn_i] 1 [nmi_i]/h
        [sin_i] 1 [in_i]2
        [sft_i] 1 [ft_i]2
        [cin_i] 1 [in_i]3
        [cft_i] 1 [ft_i]3
        [gr] 64.79891 mg
        [lb_av] 7000 [gr]
        [oz_av] 437.5 [gr]
        [dr_av] 27.34375 [gr]
        [ston_av] 2000 [lb_av]
        [stone_av] 14 [lb_av]
        [lb_tr] 5760 [gr]
        [oz_tr] 480 [gr]
        [gal_us] 231 [cin_i]
        [qt_us] 57.75 [cin_i]
        [pt_us] 28.875 [cin_i]
        [foz_us] 1.8046875 [cin_i]
        [cup_us] 14.4375 [cin_i]
        [tbs_us] 0.90234375 [cin_i]
        [tsp_us] 0.30078125 [cin_i]
        [foz_m] 30 mL
        [cup_m] 240 mL
        [tbs_m] 15 mL
        [tsp_m] 5 mL
        [gal_br] 4.54609 l
        [pt_br] 0.56826125 l
        [foz_br] 28.4130625 ml
        [Cal] 1 kcal_th
        [in_i'Hg] 25.4 mm[Hg]
        [in_i'H2O] 25.4 mm[H2O]
        [degR] 0.5555555555555555555555555556 K
        [drp] 0.05 ml
        [Ch] 0.33333333333333333333333333333 mm
        [MET] 3.5 mL/min/kg
        [car_m] 0.2 g
        """;

    static readonly string[] Arbitrary =
    [
        "*[iU]", "*[IU]", "[arb'U]", "[USP'U]", "[GPL'U]", "[MPL'U]", "[APL'U]", "[beth'U]", "[anti'Xa'U]", "[todd'U]", "[dye'U]", "[smgy'U]", "[bdsk'U]",
        "[ka'U]", "[knk'U]", "[mclg'U]", "[tb'U]", "[CCID_50]", "[TCID_50]", "[EID_50]", "[PFU]", "[FFU]", "[CFU]", "[IR]", "[BAU]", "[AU]", "[Amb'a'1'U]",
        "[PNU]", "[Lf]", "[D'ag'U]", "[ELU]", "[EU]", "[hp_X]", "[hp_C]", "[pH]", "[HPF]", "[LPF]", "[S]", "[m/s2/Hz^0.5]",
    ];

    static readonly Dictionary<string, UcumAtom> Atoms = Build();

    public static UcumAtom? Find(string symbol) => Atoms.GetValueOrDefault(symbol);

    public static int? Prefix(string symbol) => Prefixes.TryGetValue(symbol, out var power) ? power : null;

    static Dictionary<string, UcumAtom> Build()
    {
        var atoms = new Dictionary<string, UcumAtom>();
        string[] bases = ["m", "s", "g", "rad", "K", "C", "cd"];
        foreach (var (symbol, dimension) in bases.Select((symbol, dimension) => (symbol, dimension)))
        {
            atoms[symbol] = new(symbol, true, Ratio.One, symbol, default, dimension);
        }
        foreach (var line in Derived.Split('\n'))
        {
            var parts = line.TrimEnd('\r').Split(' ');
            var isMetric = parts[0][0] == '*';
            var symbol = isMetric ? parts[0][1..] : parts[0];
            atoms[symbol] = new(symbol, isMetric, Ratio.Of(decimal.Parse(parts[1], CultureInfo.InvariantCulture)), parts[2]);
        }
        foreach (var name in Arbitrary)
        {
            var symbol = name.TrimStart('*');
            atoms[symbol] = new(symbol, name[0] == '*', Ratio.One, "1", IsArbitrary: true);
        }
        var fahrenheit = Ratio.Of(5) / Ratio.Of(9);
        atoms["Cel"] = new("Cel", true, Ratio.One, "K", Ratio.Of(273.15m));
        atoms["[degF]"] = new("[degF]", false, fahrenheit, "K", Ratio.Of(459.67m) * fahrenheit);
        return atoms;
    }
}
