package io.github.loragraph;

import io.github.loragraph.data.Row;
import io.github.loragraph.models.ModelData;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** What a model answers otherwise than labels say, in the words of the rows. */
final class MistakeList {
  private final ModelData data;

  MistakeList(ModelData data) {
    this.data = data;
  }

  /**
   * The mistakes, the largest loss first.
   *
   * @param logits for each example one row, of all its tokens where they are answered
   */
  List<Mistake> of(
      List<Row> rows, List<io.github.loragraph.data.Example> examples, float[][] logits) {
    List<Mistake> mistakes = new ArrayList<>();
    for (var mistake : data.task().mistakes(logits, examples, data.labels().names())) {
      Row row = rows.get(mistake.example());
      mistakes.add(
          new Mistake(
              row.place(),
              mistake.token() < 0 ? OptionalInt.empty() : OptionalInt.of(mistake.token()),
              mistake.label(),
              mistake.answer(),
              mistake.loss(),
              text(row, examples.get(mistake.example()), mistake.token()),
              Optional.ofNullable(row.textPair())));
    }
    return mistakes;
  }

  /** Pre-tokenized rows are text again where there is a tokenizer. */
  private Optional<String> text(Row row, io.github.loragraph.data.Example example, int token) {
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
