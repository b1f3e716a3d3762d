package io.github.loragraph.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.check.ReferenceModel;
import io.github.loragraph.lora.Method;
import java.util.List;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

/** What becomes of several turns. */
class ResultTest {
  private static final Setting SETTING = new Setting(ReferenceModel.MINILM, Method.LORA, 8, 64, 1);

  private static Result result(Row row, double... seconds) {
    List<Measured> turns =
        DoubleStream.of(seconds)
            .mapToObj(
                s -> new Measured(new ObjectMapper().createObjectNode().put("stepSeconds", s)))
            .toList();
    return new Result(SETTING, row, turns, null);
  }

  @Test
  void figuresAreMediansAndRatiosAreTakenTurnByTurn() {
    Result ours = result(Row.ALL.get(0), 2, 1, 10);
    Result others = result(Row.ALL.get(1), 1, 1, 4);
    assertEquals(2, ours.median(Measured::step));
    assertEquals(1, ours.least(Measured::step));
    assertEquals(10, ours.most(Measured::step));
    assertEquals(2, ours.ratio(others, Measured::step));
    assertEquals(2.5, result(Row.ALL.get(0), 2, 3).median(Measured::step));
  }

  @Test
  void whatAProgramDoesNotTellIsNoNumber() {
    assertTrue(Double.isNaN(result(Row.ALL.get(0), 1).median(Measured::peakGigabytes)));
    assertTrue(Double.isNaN(result(Row.ALL.get(0)).median(Measured::step)));
  }

  @Test
  void rowsOfTheProgramMayBeAdded() {
    Row row = Row.parse("four=--steps-per-call 4");
    assertEquals("four", row.name());
    assertEquals(List.of("--steps-per-call", "4"), row.arguments());
    assertEquals(Row.Kind.BASE, row.ofBase().kind());
  }

  @Test
  void onlyWhatCanBeFrozenIs() {
    List<String> full =
        Row.ALL.stream().filter(row -> row.fits(Method.FULL)).map(Row::name).toList();
    assertEquals(List.of("graph", "training-api", "libtorch script", "libtorch eager"), full);
  }
}
