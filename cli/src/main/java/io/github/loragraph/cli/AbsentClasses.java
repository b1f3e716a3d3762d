package io.github.loragraph.cli;

import io.github.loragraph.data.Example;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.evaluation.Task;
import io.github.loragraph.models.ModelData;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;

/** Classes of a model that its training data do not have, and that are not learned from them. */
final class AbsentClasses {
  private static final int LONGEST = 120;

  private AbsentClasses() {}

  /** Their number and names in a few words; empty where there are none, or no classes. */
  static Optional<String> of(ModelData modelData, List<Example> examples) {
    if (modelData.task() == Task.REGRESSION) {
      return Optional.empty();
    }
    int classes = modelData.outputs();
    BitSet present = new BitSet();
    for (Example example : examples) {
      for (int i = 0; i < example.target().count(); i++) {
        double value = example.target().get(i);
        if (modelData.task() == Task.MULTILABEL) {
          present.set(i, present.get(i) || value > 0);
        } else if (value >= 0) {
          present.set((int) value);
        }
      }
    }
    List<String> absent = new ArrayList<>();
    for (int c = 0; c < classes; c++) {
      if (!present.get(c)) {
        absent.add("'" + modelData.labels().names().get(c) + "'");
      }
    }
    return absent.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "%,d of the %,d classes: %s"
                .formatted(
                    absent.size(),
                    classes,
                    PlainText.shortened(String.join(", ", absent), LONGEST)));
  }
}
