package io.github.loragraph;

import io.github.loragraph.data.Row;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.models.ModelData;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Rows with their tokens, which wait for their answers.
 *
 * @param examples that they are of
 * @param notes that came of reading them
 */
record EncodedRows(
    List<Row> rows, List<Example> examples, ModelData.Encoded encoded, List<String> notes) {

  /**
   * Encodes rows as they are added, on the thread that adds them. Whatever fails, a row or what
   * reads them, the rows before it are handed over first.
   */
  static final class Maker {
    private final Function<List<Row>, ModelData.Encoded> encoder;
    private final Consumer<EncodedRows> taker;
    private final List<String> notes = new ArrayList<>();
    private final List<Row> rows = new ArrayList<>();
    private final List<Example> examples = new ArrayList<>();

    Maker(Function<List<Row>, ModelData.Encoded> encoder, Consumer<EncodedRows> taker) {
      this.encoder = encoder;
      this.taker = taker;
    }

    /**
     * Makes all that some work adds.
     *
     * @param held gets the work's notes handed over with the rows
     */
    void make(HeldNotes held, Consumer<Maker> work) {
      held.aside(
          notes,
          () -> {
            try {
              work.accept(this);
            } catch (LoraGraphException e) {
              handOver();
              throw e;
            }
            handOver();
          });
    }

    /** Adds a row; how many are there then. */
    int add(Row row, Example example) {
      rows.add(row);
      examples.add(example);
      return rows.size();
    }

    /**
     * Hands over what was added.
     *
     * @throws LoraGraphException if a row cannot be encoded, after those before it
     */
    void handOver() {
      ModelData.Encoded encoded;
      try {
        encoded = encoder.apply(rows);
      } catch (LoraGraphException e) {
        LoraGraphException first = handBeginning(e);
        clear();
        throw first;
      }
      hand(rows.size(), encoded);
      clear();
    }

    /**
     * Hands over the rows before the first that cannot be encoded.
     *
     * @param ofAll why all of them cannot be
     * @return why that one cannot be
     */
    private LoraGraphException handBeginning(LoraGraphException ofAll) {
      int fits = 0;
      int fails = rows.size();
      ModelData.Encoded beginning = encoder.apply(List.of());
      LoraGraphException failure = ofAll;
      while (fails - fits > 1) {
        int middle = (fits + fails) / 2;
        try {
          beginning = encoder.apply(rows.subList(0, middle));
          fits = middle;
        } catch (LoraGraphException e) {
          fails = middle;
          failure = e;
        }
      }
      hand(fits, beginning);
      return failure;
    }

    private void hand(int count, ModelData.Encoded encoded) {
      taker.accept(
          new EncodedRows(
              List.copyOf(rows.subList(0, count)),
              List.copyOf(examples.subList(0, count)),
              encoded,
              List.copyOf(notes)));
      notes.clear();
    }

    private void clear() {
      rows.clear();
      examples.clear();
    }
  }
}
