package io.github.loragraph.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.loragraph.HyperparameterSearch;
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
}
