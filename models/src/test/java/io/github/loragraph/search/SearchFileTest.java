package io.github.loragraph.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the file of a search says, and what is refused in it. */
class SearchFileTest {
  private static final String WHOLE =
      """
      model: intents
      base: {data: train.tsv, eval: dev.tsv, epochs: 2}
      space:
        method: {choice: [lora, full]}
        lr: {log-uniform: [1e-4, 5e-3]}
        rank: {choice: [2, 4, 8], when: {method: lora}}
        warmup-ratio: {uniform: [0, 0.2]}
        batch-size: {integer: [8, 32]}
      trials: 16
      parallel: 2
      objective: accuracy
      method: tpe
      pruning: asha
      seed: 7
      """;

  @TempDir Path folder;

  private SearchFile read(String text) throws Exception {
    return SearchFile.read(Files.writeString(folder.resolve("search.yaml"), text));
  }

  private void assertRefused(String words, String from, String to) throws Exception {
    assertTrue(WHOLE.contains(from), from);
    String message =
        assertThrows(LoraGraphException.class, () -> read(WHOLE.replace(from, to))).getMessage();
    assertTrue(message.contains("search.yaml: " + words), message);
  }

  @Test
  void everythingIsRead() throws Exception {
    SearchFile file = read(WHOLE);
    assertEquals(Map.of("model", "intents"), file.model());
    assertEquals(Map.of("data", "train.tsv", "eval", "dev.tsv", "epochs", 2), file.base());
    SearchPlan plan = file.plan();
    assertEquals(16, plan.trials());
    assertEquals(2, plan.parallel());
    assertTrue(plan.maximize());
    assertEquals(7, plan.seed());
    assertEquals(List.of(1 / 9.0, 3 / 9.0, 1.0), plan.pruning().fractions());
    assertEquals(new RealRange(1e-4, 5e-3, true), plan.space().parameters().get(1).domain());
    assertEquals(
        Map.of("method", List.of("lora")),
        plan.space().parameters().stream()
            .filter(parameter -> parameter.name().equals("rank"))
            .findFirst()
            .orElseThrow()
            .when());
    assertEquals(
        Map.of("model", Map.of("name", "encoder", "head", Map.of("pooling", "cls"))),
        read(WHOLE.replace("intents", "{name: encoder, head: {pooling: cls}}")).model());
    assertFalse(read(WHOLE.replace("accuracy", "loss")).plan().maximize());
    assertTrue(read(WHOLE.replace("accuracy", "loss\ndirection: maximize")).plan().maximize());
  }

  @Test
  void whatIsNotPossibleIsRefusedByItsPlace() throws Exception {
    assertRefused("trails: there is no such key: is it trials?", "trials: 16", "trails: 16");
    assertRefused("objective: it is not there", "objective: accuracy", "");
    assertRefused(
        "space.lr: it needs one of these: log-uniform,", "{log-uniform: [1e-4, 5e-3]}", "{}");
    assertRefused(
        "space.lr.log-unifrom: there is no such key: is it log-uniform",
        "log-uniform",
        "log-unifrom");
    assertRefused(
        "space.lr.log-uniform: the lower end 5e-3 is above the upper, 1e-4: exchange them",
        "[1e-4, 5e-3]",
        "[5e-3, 1e-4]");
    assertRefused(
        "space.batch-size.integer: the lower end 32 is above the upper, 8: exchange them",
        "[8, 32]",
        "[32, 8]");
    assertRefused("pruner: there is no such key: is it pruning?", "pruning: asha", "pruner: asha");
    assertRefused(
        "objective: F1 is nothing that is measured: f1 or macroF1 or microF1?",
        "objective: accuracy",
        "objective: F1");
    assertRefused("space.lr.log-uniform: a is no number", "[1e-4, 5e-3]", "[a, 1]");
    assertRefused("space.lr.log-uniform: it has 3 values", "[1e-4, 5e-3]", "[1, 2, 3]");
    assertRefused("space.lr.log-uniform: it is no list", "[1e-4, 5e-3]", "5e-3");
    assertRefused("space.batch-size.integer: 8.5 is no whole number", "[8, 32]", "[8.5, 32]");
    assertRefused(
        "space: rank depends on metod, which is no parameter", "when: {method", "when: {metod");
    assertRefused(
        "space: rank depends on method being lra", "when: {method: lora", "when: {method: lra");
    assertRefused("base.lr: 'space' has it, too", "epochs: 2", "epochs: 2, lr: 1e-3");
    assertRefused("base: trials are judged on held-out examples", "eval: dev.tsv, ", "");
    assertRefused(
        "objective: acuracy is nothing that is measured: accuracy",
        "objective: accuracy",
        "objective: acuracy");
    assertRefused("base.batchSize: 'space' has it, too", "epochs: 2", "batchSize: 4");
    assertRefused("base.seed: the seed of all trials", "epochs: 2", "seed: 4");
    assertRefused("method: bayes is none of: tpe, random, grid", "method: tpe", "method: bayes");
    assertRefused("direction: up is none of", "seed: 7", "direction: up");
    assertRefused("trials: many is no whole number", "trials: 16", "trials: many");
    assertRefused("trials: a search has 1 trial or more", "trials: 16", "trials: 0");
    assertRefused(
        "reduction-factor: it is of 'pruning: asha'", "pruning: asha", "reduction-factor: 3");
    assertRefused(
        "reduction-factor: a reduction factor is 2 or more", "seed: 7", "reduction-factor: 1");
    assertRefused("space: lr is a range of real numbers: a grid", "method: tpe", "method: grid");
  }

  /** Between braces a name without a colon is a name without a value. */
  @Test
  void aColonOrBlankThatIsMissingIsSaidAtItsLine() throws Exception {
    for (String key : List.of("epochs 2", "epochs:2")) {
      String message =
          assertThrows(LoraGraphException.class, () -> read(WHOLE.replace("epochs: 2", key)))
              .getMessage();
      assertTrue(
          message.contains(
              "search.yaml:2: '%s' is one name: a colon and a blank belong after 'epochs': 'epochs: 2'"
                  .formatted(key)),
          message);
    }
    assertRefused("two words: there is no such key", "seed: 7", "two words:");
  }

  @Test
  void theFileOfSomethingElseIsSaidToBeThat() throws Exception {
    for (String other : List.of("an experiment\nseeds: [0]\nruns: {}", "a training\ndata: x.tsv")) {
      String kind = other.substring(0, other.indexOf('\n'));
      String message =
          assertThrows(
                  LoraGraphException.class,
                  () ->
                      SearchFile.read(
                          Files.writeString(
                              folder.resolve("search.yaml"),
                              "model: m" + other.substring(kind.length())),
                          Map.of("trials", 4)))
              .getMessage();
      assertTrue(
          message.contains("search.yaml is the file of " + kind + ", and not of a search: "),
          message);
    }
  }

  @Test
  void aSearchNeverHasMoreTrialsThanThereAre() throws Exception {
    SearchPlan plan =
        read("""
                model: m
                base: {data: train.tsv, eval-split: 0.1}
                space: {rank: {choice: [2, 4, 8]}, lr: {choice: [1e-3, 2e-3]}}
                objective: accuracy
                """)
            .plan();
    assertEquals(6, plan.begun());
    assertTrue(plan.remarks().toString().contains("only 6 different trials"));
    assertEquals(6, plan.firstTrials().stream().distinct().count());
  }

  @Test
  void aSearchThatNoFigureDecidesOnIsSaidToBeRandom() throws Exception {
    String text =
        """
        model: m
        base: {data: train.tsv, eval-split: 0.1}
        space: {lr: {log-uniform: [1e-4, 1e-2]}}
        objective: accuracy
        trials: 10
        """;
    assertEquals(
        List.of(
            "with fewer than 11 trials tpe is a random search: it draws the first 10 at random, and there are 10"),
        read(text).plan().remarks());
    assertEquals(List.of(), read(text.replace("10\n", "11\n")).plan().remarks());
    assertEquals(List.of(), read(text + "method: random\n").plan().remarks());
  }
}
