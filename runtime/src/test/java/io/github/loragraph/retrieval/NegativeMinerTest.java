package io.github.loragraph.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.data.Row;
import io.github.loragraph.data.TextGroup;
import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Negatives among texts that are angles: a text of 30 is the direction of 30 degrees. */
class NegativeMinerTest {
  @TempDir Path folder;
  private final List<String> notes = new ArrayList<>();

  private static Row row(String text) {
    return new Row(text, null, null, Map.of(), "t");
  }

  private static TextGroup pair(String anchor, String positive) {
    return new TextGroup(row(anchor), List.of(row(positive)), List.of(), "t", false);
  }

  private static float[][] vectors(List<Row> texts) {
    return texts.stream()
        .map(
            row -> {
              double angle = Math.toRadians(Double.parseDouble(String.valueOf(row.text())));
              return new float[] {(float) Math.cos(angle), (float) Math.sin(angle)};
            })
        .toArray(float[][]::new);
  }

  private NegativeMiner.Result mine(NegativeMiner miner, @Nullable Corpus corpus) {
    return miner.mine(
        List.of(pair("0", "10"), pair("0", "20"), pair("50", "45"), pair("0", "10")),
        corpus,
        NegativeMinerTest::vectors,
        NegativeMinerTest::vectors,
        notes::add,
        done -> {});
  }

  private static NegativeMiner miner(
      int negatives,
      int rangeMin,
      @Nullable Integer rangeMax,
      @Nullable Double maxScore,
      @Nullable Double absolute,
      @Nullable Double relative,
      boolean random) {
    return new NegativeMiner(
        negatives, rangeMin, rangeMax, maxScore, null, absolute, relative, random, 7);
  }

  private static List<List<String>> negatives(NegativeMiner.Result result) {
    return result.pairs().stream()
        .map(pair -> pair.negatives().stream().map(NegativeMiner.Negative::text).toList())
        .toList();
  }

  private Corpus corpus() throws Exception {
    Path file = folder.resolve("corpus.tsv");
    Files.writeString(file, "id\ttext\na\t15\nb\t10\nc\t25\nd\t0\ne\t90\nf\t25\n");
    return Corpus.read(file, notes::add);
  }

  @Test
  void positivesOfTheAnchorAreLeftOut() {
    NegativeMiner.Result result = mine(miner(3, 0, null, null, null, null, false), null);
    assertEquals(List.of(List.of("45"), List.of("45"), List.of("20", "10")), negatives(result));
    assertEquals(3, result.searched());
    assertEquals(List.of("1 of 4 pairs were there before: each is taken once"), notes);
    assertEquals(Math.cos(Math.toRadians(10)), result.pairs().get(0).score(), 1e-6);
  }

  @Test
  void aCorpusIsSearchedWithoutThePositivesAndTheAnchorItself() throws Exception {
    NegativeMiner.Result result = mine(miner(4, 0, null, null, null, null, false), corpus());
    // Of 0: 15, 25, 45, 90, and not itself; of 50: 25, 20, 15, and once each.
    assertEquals(List.of("15", "25", "45", "90"), negatives(result).get(0));
    assertEquals(List.of("25", "20", "15", "10"), negatives(result).get(2));
    assertEquals(3 + 4, result.searched());
  }

  @Test
  void scoresRefuseBeforeRanksCount() throws Exception {
    // The farthest positive of 0 is 20; what is refused is nearer than about 28.4 degrees.
    NegativeMiner.Result margin = mine(miner(2, 0, null, null, 0.06, null, false), corpus());
    assertEquals(List.of("45", "90"), negatives(margin).get(0));
    assertTrue(margin.refused() > 0);
    NegativeMiner.Result relative = mine(miner(2, 0, null, null, null, 0.06, false), corpus());
    assertEquals(List.of("45", "90"), negatives(relative).get(0));
    NegativeMiner.Result most = mine(miner(2, 1, null, 0.9, null, null, false), corpus());
    assertEquals(List.of("90"), negatives(most).get(0));
  }

  @Test
  void anchorsAndRepeatsHaveNoRank() throws Exception {
    assertEquals(
        List.of("15"),
        negatives(mine(miner(1, 0, null, null, null, null, false), corpus())).get(0));
    assertEquals(
        List.of("45"),
        negatives(mine(miner(1, 2, null, null, null, null, false), corpus())).get(0));
    NegativeMiner.Result both =
        miner(1, 0, null, null, null, null, false)
            .mine(
                List.of(pair("0", "10"), pair("10", "0"), pair("60", "70"), pair("70", "60")),
                null,
                NegativeMinerTest::vectors,
                NegativeMinerTest::vectors,
                notes::add,
                done -> {});
    assertEquals(
        List.of(List.of("60"), List.of("60"), List.of("10"), List.of("10")), negatives(both));
  }

  @Test
  void ranksCountWhatScoresLeave() throws Exception {
    // Eleven nearer texts are refused, more than ten times as many as are asked for.
    StringBuilder near = new StringBuilder("id\ttext\n");
    for (int angle = 1; angle <= 11; angle++) {
      near.append("%d\t%d.5\n".formatted(angle, angle));
    }
    Path file = folder.resolve("near.tsv");
    Files.writeString(file, near);
    for (Integer rangeMax : new Integer[] {null, 1, Integer.MAX_VALUE}) {
      NegativeMiner.Result result =
          mine(miner(1, 0, rangeMax, 0.9, null, null, false), Corpus.read(file, notes::add));
      assertEquals(List.of("45"), negatives(result).get(0));
      assertEquals(11, result.refused());
    }
    NegativeMiner all =
        miner(Integer.MAX_VALUE, Integer.MAX_VALUE - 1, null, null, null, null, false);
    assertEquals(List.of(), negatives(mine(all, corpus())).get(0));
  }

  @Test
  void drawsFollowFromTheSeed() throws Exception {
    NegativeMiner random = miner(1, 0, 4, null, null, null, true);
    assertEquals(negatives(mine(random, corpus())), negatives(mine(random, corpus())));
  }

  @Test
  void impossibleNumbersAreRefused() {
    assertThrows(LoraGraphException.class, () -> miner(0, 0, null, null, null, null, false));
    assertThrows(LoraGraphException.class, () -> miner(1, 5, 5, null, null, null, false));
  }
}
