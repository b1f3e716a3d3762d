package io.github.loragraph.check;

/**
 * A requirement and whether it is met.
 *
 * @param detail the figure that decides, or why there is none
 */
record Requirement(String name, Verdict verdict, String detail) {
  /** What can be said of a requirement. */
  enum Verdict {
    PASS("PASS"),
    FAIL("FAIL"),
    NOT_MEASURED("not measured");

    private final String label;

    Verdict(String label) {
      this.label = label;
    }

    String label() {
      return label;
    }
  }

  static Requirement of(String name, boolean met, String detail) {
    return new Requirement(name, met ? Verdict.PASS : Verdict.FAIL, detail);
  }

  static Requirement notMeasured(String name, String why) {
    return new Requirement(name, Verdict.NOT_MEASURED, why);
  }

  boolean fails() {
    return verdict == Verdict.FAIL;
  }
}
