package io.github.loragraph.evaluation;

import io.github.loragraph.data.Example;
import io.github.loragraph.data.Values;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * An example, or a token, that a model answers otherwise than its label says.
 *
 * @param example its number, from 0
 * @param token the number of the token, from 0; -1 where the example has one label
 * @param label as the data says
 * @param answer the model's
 * @param loss the example's own: cross-entropy, binary cross-entropy (mean over the classes), or
 *     squared error
 */
public record Mistake(int example, int token, String label, String answer, double loss) {
  /**
   * All mistakes, the largest loss first.
   *
   * @param logits for each example one row, of all its tokens where they have labels
   * @param examples as many, with targets
   * @param names of the classes
   */
  public static List<Mistake> worstFirst(
      Task task, float[][] logits, List<Example> examples, List<String> names) {
    List<Mistake> mistakes = new ArrayList<>();
    for (int i = 0; i < logits.length; i++) {
      Example example = examples.get(i);
      switch (task) {
        case CLASSIFICATION -> classified(mistakes, i, -1, logits[i], example.label(), names);
        case REGRESSION -> regressed(mistakes, i, logits[i][0], example.label());
        case MULTILABEL -> labelled(mistakes, i, logits[i], example.target(), names);
        case TOKEN_CLASSIFICATION -> {
          int classes = names.size();
          for (int t = 0; t < example.target().count(); t++) {
            float[] row = Arrays.copyOfRange(logits[i], t * classes, (t + 1) * classes);
            classified(mistakes, i, t, row, example.target().get(t), names);
          }
        }
      }
    }
    mistakes.sort(Comparator.comparingDouble(Mistake::loss).reversed());
    return mistakes;
  }

  private static void classified(
      List<Mistake> mistakes,
      int example,
      int token,
      float[] logits,
      double label,
      List<String> names) {
    int predicted = Probabilities.argMax(logits);
    if (label >= 0 && predicted != label) {
      double loss = Probabilities.logSumExp(logits) - logits[(int) label];
      mistakes.add(new Mistake(example, token, names.get((int) label), names.get(predicted), loss));
    }
  }

  private static void regressed(List<Mistake> mistakes, int example, float answer, double label) {
    if (answer != label) {
      double error = answer - label;
      mistakes.add(
          new Mistake(
              example, -1, Float.toString((float) label), Float.toString(answer), error * error));
    }
  }

  private static void labelled(
      List<Mistake> mistakes, int example, float[] logits, Values target, List<String> names) {
    List<String> labels = new ArrayList<>();
    List<String> answers = new ArrayList<>();
    double loss = 0;
    for (int c = 0; c < logits.length; c++) {
      if (target.get(c) >= 0.5) {
        labels.add(names.get(c));
      }
      if (logits[c] >= 0) {
        answers.add(names.get(c));
      }
      loss += Probabilities.softplus(logits[c]) - logits[c] * target.get(c);
    }
    if (!labels.equals(answers)) {
      mistakes.add(
          new Mistake(
              example,
              -1,
              String.join(",", labels),
              String.join(",", answers),
              loss / logits.length));
    }
  }
}
