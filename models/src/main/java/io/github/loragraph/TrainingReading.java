package io.github.loragraph;

import io.github.loragraph.data.Example;
import io.github.loragraph.data.ExampleEncoder;
import io.github.loragraph.data.Row;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.models.ModelData;
import io.github.loragraph.models.RunDefaults;
import io.github.loragraph.task.Task;
import io.github.loragraph.task.Tasks;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads data as a training does, to see whether it would refuse them. Of data that a training can
 * stream no more is held than some rows.
 */
final class TrainingReading {
  private static final int AT_ONCE = 1024;

  private final Task task;
  private final @Nullable ModelData data;
  private final Consumer<String> notices;
  private final List<Row> waiting = new ArrayList<>();

  /** The first row of all data; null before it. */
  private @Nullable Row first;

  /**
   * @param data what rows are encoded by; null where labels and lengths are compared with nothing
   * @param notices gets a line for whatever is guessed
   */
  TrainingReading(Task task, @Nullable ModelData data, Consumer<String> notices) {
    this.task = task;
    this.data = data;
    this.notices = notices;
  }

  /**
   * Reads all rows.
   *
   * @param heldOut whether they are to measure with
   * @param lengths gets the tokens of each example
   * @param cut gets each row of which a text is cut
   * @throws LoraGraphException as a training on them does
   */
  void read(Dataset set, boolean heldOut, IntConsumer lengths, Consumer<Row> cut) {
    if (task == Tasks.EMBEDDING) {
      if (heldOut) {
        set.measure(RunDefaults.NONE, notices);
      } else {
        set.groups(RunDefaults.NONE, notices);
      }
      return;
    }
    if (!task.isRowByRow()) {
      List<Row> rows = set.of(task, RunDefaults.NONE, notices);
      if (data != null) {
        data.requireAlike(rows);
        ModelData.Encoded encoded =
            heldOut ? data.measured(set.name(), rows) : data.trained(set.name(), rows, false, cut);
        encoded.examples().forEach(example -> lengths.accept(example.length()));
      }
      return;
    }
    @Nullable ExampleEncoder encoder = data == null ? null : data.encoder().tellingCut(cut);
    Row[] ofSet = new Row[1];
    set.eachLabelled(
        RunDefaults.NONE,
        notices,
        (row, file) -> {
          ofSet[0] = ofSet[0] == null ? row : ofSet[0];
          ExampleEncoder.requireAlike(row, ofSet[0].isText(), ofSet[0].textPair() != null);
          if (data != null && encoder != null) {
            waiting.add(row);
            if (waiting.size() == AT_ONCE) {
              encode(data, encoder, lengths);
            }
          }
        });
    first = first == null ? ofSet[0] : first;
    ModelData.requireAlike(first, ofSet[0]);
    if (data != null && encoder != null) {
      encode(data, encoder, lengths);
    }
  }

  private void encode(ModelData by, ExampleEncoder encoder, IntConsumer lengths) {
    for (Example example : by.task().encode(encoder, waiting, by.labels())) {
      lengths.accept(example.length());
    }
    waiting.clear();
  }
}
