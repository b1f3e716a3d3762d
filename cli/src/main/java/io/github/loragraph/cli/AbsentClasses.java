package io.github.loragraph.cli;

import io.github.loragraph.data.Example;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.models.ModelData;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Classes of a model that its training data do not have, and that are not learned from them. */
final class AbsentClasses {
  private static final int LONGEST = 120;

  private AbsentClasses() {}

  /** Their number and names in a few words; empty where there are none, or no classes. */
  static Optional<String> of(ModelData modelData, List<Example> examples) {
    List<String> names = modelData.labels().names();
    List<String> absent = modelData.task().absent(examples, names);
    return absent.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "%,d of the %,d classes: %s"
                .formatted(
                    absent.size(), names.size(), PlainText.shortened(quoted(absent), LONGEST)));
  }

  private static String quoted(List<String> names) {
    return names.stream().map(name -> "'" + name + "'").collect(Collectors.joining(", "));
  }
}
