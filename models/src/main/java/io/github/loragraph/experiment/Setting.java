package io.github.loragraph.experiment;

import java.util.List;

/**
 * What an option of a run is set to.
 *
 * @param where the place that says it, for messages: {@code runs.full.lr}
 * @param values one, or several where the option may be given several times
 */
public record Setting(String where, List<String> values) {
  public Setting {
    values = List.copyOf(values);
  }

  /** The value, all of them where there are several. */
  public String text() {
    return String.join(",", values);
  }
}
