package io.github.loragraph.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.loragraph.HyperparameterSearch;
import io.github.loragraph.HyperparameterSearch.Repeat;
import io.github.loragraph.HyperparameterSearch.Result;
import io.github.loragraph.HyperparameterSearch.Status;
import io.github.loragraph.HyperparameterSearch.Trial;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

/** The table of a search, for people. */
class SearchTableTest {
  private static Trial trial(int number, Status status, double objective) {
    return new Trial(
        number,
        Map.of("lr", 1e-3),
        status,
        OptionalDouble.of(objective),
        status == Status.COMPLETE ? 90 : 10,
        90,
        1,
        Path.of("runs"));
  }

  private static List<Integer> order(String objective, boolean maximize) {
    HyperparameterSearch search =
        HyperparameterSearch.builder("model.onnx")
            .set("eval", "dev.tsv")
            .logUniform("lr", 1e-4, 1e-2)
            .objective(objective)
            .maximize(maximize)
            .build();
    Trial best = trial(2, Status.COMPLETE, 0.4);
    Result result =
        new Result(
            List.of(
                trial(1, Status.PRUNED, 0.6),
                best,
                trial(3, Status.PRUNED, 0.5),
                trial(4, Status.PRUNED, 0.7),
                trial(5, Status.COMPLETE, 0.4)),
            Optional.of(best),
            List.of(),
            OptionalDouble.empty(),
            OptionalDouble.empty(),
            Optional.empty(),
            Map.of(),
            1,
            1,
            1,
            1,
            true);
    StringWriter out = new StringWriter();
    SearchTable.print(search, Path.of("results"), result, new PrintWriter(out, true));
    return out.toString()
        .lines()
        .map(String::strip)
        .filter(line -> line.matches("[0-9].*"))
        .map(line -> Integer.valueOf(line.split(" ")[0]))
        .toList();
  }

  @Test
  void theBestComeFirstWhetherMoreOrLessIsBetter() {
    assertEquals(List.of(2, 5, 3, 1, 4), order("loss", false));
    assertEquals(List.of(2, 5, 4, 1, 3), order("accuracy", true));
  }

  private static Result stopped(List<Trial> trials, Optional<Trial> best, List<Repeat> repeats) {
    return new Result(
        trials,
        best,
        repeats,
        OptionalDouble.empty(),
        OptionalDouble.empty(),
        Optional.empty(),
        Map.of(),
        1,
        1,
        1,
        1,
        false);
  }

  @Test
  void whereItWasStoppedItSaysWhatIsDone() {
    Trial begun =
        new Trial(3, Map.of(), Status.UNFINISHED, OptionalDouble.empty(), 0, 0, 0, Path.of("runs"));
    Trial measured = trial(2, Status.UNFINISHED, 0.6);
    Trial whole = trial(1, Status.COMPLETE, 0.5);
    assertEquals(
        "0 of 6 trials are done",
        SearchTable.done(stopped(List.of(begun), Optional.empty(), List.of()), 6));
    assertEquals(
        "1 of 6 trials are done and 1 are measured on their way",
        SearchTable.done(stopped(List.of(whole, measured, begun), Optional.empty(), List.of()), 6));
    assertEquals(
        "2 of 2 trials are done and 1 trainings of the best with other seeds",
        SearchTable.done(
            stopped(
                List.of(whole, trial(2, Status.PRUNED, 0.6)),
                Optional.of(whole),
                List.of(new Repeat(1, OptionalDouble.of(0.5), Map.of(), Path.of("runs")))),
            2));
  }
}
