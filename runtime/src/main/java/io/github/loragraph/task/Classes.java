package io.github.loragraph.task;

import io.github.loragraph.data.Example;
import io.github.loragraph.data.LabelSet;
import io.github.loragraph.data.Row;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.training.CrossEntropyLoss;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** What tasks over classes have in common. */
final class Classes {
  private static final String IGNORED = Long.toString(CrossEntropyLoss.IGNORE_INDEX);

  private Classes() {}

  /**
   * The class that a label names, or {@value CrossEntropyLoss#IGNORE_INDEX} where it says that the
   * loss leaves the example, or token, out.
   *
   * @throws LoraGraphException if there is no such class; it names the line
   */
  static int indexOrIgnored(Row row, String label, LabelSet labels) {
    return IGNORED.equals(label) ? (int) CrossEntropyLoss.IGNORE_INDEX : index(row, label, labels);
  }

  /**
   * The class that a label names.
   *
   * @throws LoraGraphException if there is none; it names the line
   */
  static int index(Row row, String label, LabelSet labels) {
    int index = labels.indexOf(label);
    if (index < 0) {
      throw new LoraGraphException(
          "%s has the label '%s', which the model's head does not know; it knows %s"
              .formatted(row.place(), PlainText.shortened(label, LabelList.LONGEST_SHOWN), labels),
          Remedy.ADD_HEAD_FOR_LABELS);
    }
    return index;
  }

  /** Those of some labels that name a class. */
  static List<String> names(List<String> labels) {
    return labels.stream().filter(name -> !name.isEmpty() && !IGNORED.equals(name)).toList();
  }

  static String describe(LabelSet labels) {
    return "%d classes: %s".formatted(labels.size(), labels);
  }

  /** The classes that are the label of no example, and of no token. */
  static List<String> absent(List<Example> examples, List<String> names) {
    BitSet present = new BitSet();
    for (Example example : examples) {
      for (int i = 0; i < example.requireTarget().count(); i++) {
        if (example.requireTarget().get(i) >= 0) {
          present.set((int) example.requireTarget().get(i));
        }
      }
    }
    return absent(present, names);
  }

  static List<String> absent(BitSet present, List<String> names) {
    return IntStream.range(0, names.size())
        .filter(c -> !present.get(c))
        .mapToObj(names::get)
        .toList();
  }

  /**
   * The mistake that the largest of some logits is; empty where it is none, or does not count.
   *
   * @param token its number, from 0; -1 where the example has one label
   */
  static Optional<Mistake> mistake(
      int example, int token, float[] logits, double label, List<String> names) {
    int predicted = Probabilities.argMax(logits);
    if (label < 0 || predicted == label) {
      return Optional.empty();
    }
    double loss = Probabilities.logSumExp(logits) - logits[(int) label];
    return Optional.of(
        new Mistake(example, token, names.get((int) label), names.get(predicted), loss));
  }
}
