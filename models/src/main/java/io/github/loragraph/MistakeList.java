package io.github.loragraph;

import io.github.loragraph.data.Row;
import io.github.loragraph.data.WordWindow;
import io.github.loragraph.models.ModelData;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** What a model answers otherwise than labels say, in the words of the rows. */
final class MistakeList {
  /** Words before and after one that is listed. */
  private static final int CONTEXT = 10;

  private final ModelData data;

  MistakeList(ModelData data) {
    this.data = data;
  }

  /**
   * The mistakes, the largest loss first.
   *
   * @param logits for each example one row, of all its tokens where they are answered
   */
  List<Mistake> of(List<Row> rows, ModelData.Encoded encoded, float[][] logits) {
    return of(
        rows, encoded, data.judge().mistakes(logits, encoded.examples(), data.labels().names()));
  }

  /** The same of mistakes that were found. */
  List<Mistake> of(
      List<Row> rows, ModelData.Encoded encoded, List<io.github.loragraph.task.Mistake> found) {
    var examples = encoded.examples();
    int[] begins = encoded.begins();
    List<Mistake> mistakes = new ArrayList<>();
    for (var mistake : found) {
      int number = Arrays.binarySearch(begins, mistake.example());
      Row row = rows.get(number < 0 ? -number - 2 : number);
      boolean word = examples.get(mistake.example()).words() != null;
      mistakes.add(
          new Mistake(
              word && row.words() != null ? row.placeOf(mistake.token()) : row.place(),
              mistake.token() < 0 ? OptionalInt.empty() : OptionalInt.of(mistake.token()),
              mistake.label(),
              mistake.answer(),
              mistake.loss(),
              text(row, examples.get(mistake.example()), mistake.token()),
              around(
                  examples.get(mistake.example()), mistake.token() - CONTEXT, mistake.token() - 1),
              around(
                  examples.get(mistake.example()), mistake.token() + 1, mistake.token() + CONTEXT),
              Optional.ofNullable(row.textPair())));
    }
    return mistakes;
  }

  /** A word alone says little: those beside it, as far as the sentence goes. */
  private static Optional<String> around(
      io.github.loragraph.data.Example example, int first, int last) {
    WordWindow words = example.words();
    if (words == null) {
      return Optional.empty();
    }
    int from = Math.max(first, 0);
    int to = Math.min(last, words.sentence().size() - 1);
    return from > to ? Optional.empty() : Optional.of(words.sentence().between(from, to));
  }

  /** Pre-tokenized rows are text again where there is a tokenizer. */
  private Optional<String> text(Row row, io.github.loragraph.data.Example example, int token) {
    WordWindow words = example.words();
    if (words != null) {
      return Optional.of(words.sentence().between(token, token));
    }
    if (row.text() != null) {
      return Optional.of(row.text());
    }
    if (!data.canDecode(example)) {
      return Optional.empty();
    }
    List<String> tokens = data.tokens(example);
    return Optional.of(token < 0 ? String.join(" ", tokens) : tokens.get(token));
  }
}
