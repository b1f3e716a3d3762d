package io.github.loragraph.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.data.Row;
import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reads corpora, queries and judgements in the forms that the field has them in. */
class SearchSetTest {
  @TempDir Path folder;
  private final List<String> notes = new ArrayList<>();

  private Path file(String name, String... lines) throws IOException {
    return Files.writeString(folder.resolve(name), String.join("\n", lines) + "\n");
  }

  private SearchSet read(Path corpus, Path queries, Path judgements) {
    return SearchSet.read(corpus, queries, judgements, notes::add);
  }

  private static List<String> texts(List<Row> rows) {
    return rows.stream().map(Row::text).toList();
  }

  @Test
  void beir() throws IOException {
    SearchSet set =
        read(
            file(
                "corpus.jsonl",
                "{\"_id\": \"d1\", \"title\": \"Gears\", \"text\": \"They turn.\", \"metadata\":"
                    + " {}}",
                "{\"_id\": \"d2\", \"title\": \"\", \"text\": \"Oil\"}"),
            file(
                "queries.jsonl",
                "{\"_id\": \"1\", \"text\": \"what turns\", \"metadata\": {}}",
                "{\"_id\": \"2\", \"text\": \"what flows\"}"),
            file("test.tsv", "query-id\tcorpus-id\tscore", "1\td1\t2", "1\td2\t0", "2\td2\t1"));
    assertEquals(List.of("Gears They turn.", "Oil"), texts(set.corpus().rows()));
    assertEquals(List.of("1", "2"), set.queryIds());
    assertEquals(List.of("what turns", "what flows"), texts(set.queries()));
    assertEquals(1, set.relevance().get(0).documents().length);
    assertEquals(2.0, set.relevance().get(0).grades()[0]);
    assertEquals(List.of(), notes);
  }

  @Test
  void msMarcoHasNoHeadings() throws IOException {
    Path corpus = file("collection.tsv", "0\tThe \"first\" passage", "7\tAnother one");
    Path queries = file("queries.tsv", "1048585\twhat is paula deen's brother", "2\tsecond");
    SearchSet set = read(corpus, queries, file("qrels.dev.tsv", "1048585\t0\t7\t1", "2\t0\t0\t1"));
    assertEquals(List.of("The \"first\" passage", "Another one"), texts(set.corpus().rows()));
    assertEquals(List.of("1048585", "2"), set.queryIds());
    assertEquals(1, set.relevance().get(0).documents()[0]);
    assertEquals(
        List.of(
            corpus + " has no heading: its columns are taken for id, text",
            queries + " has no heading: its columns are taken for id, text",
            folder.resolve("qrels.dev.tsv")
                + " has no heading: its columns are taken for query-id, iteration, corpus-id,"
                + " score"),
        notes);
    // The same with spaces, in a file of any ending.
    SearchSet spaced = read(corpus, queries, file("qrels.dev.small", "1048585 0 7 1", "2 0  0 1"));
    assertEquals(1, spaced.relevance().get(0).documents()[0]);
  }

  @Test
  void tablesWithHeadingsAndEmptyDocuments() throws IOException {
    SearchSet set =
        read(
            file("corpus.tsv", "id\ttitle\ttext", "1\tA\tone", "2\t\t", "3\tC\t"),
            file("queries.csv", "id,text", "1,\"a, b\""),
            file("qrels.csv", "query-id,corpus-id,score", "1,3,4"));
    assertEquals(List.of("A one", "", "C"), texts(set.corpus().rows()));
    assertEquals(List.of("a, b"), texts(set.queries()));
    assertEquals(
        List.of(folder.resolve("corpus.tsv") + ": 1 document is empty (the first: '2')"), notes);
  }

  @Test
  void runsAndJudgementsAreReadAlike() throws IOException {
    for (String number : List.of("1f", "NaN", "0x1p3", "Infinity", "1e999", "x")) {
      Path run = file("run.tsv", "query-id\tcorpus-id\tscore", "q\td\t" + number);
      assertRefused(
          run + ":2: the score '" + number + "' is no number",
          () -> FirstStage.read(run, notes::add));
      assertRefused(
          run + ":2: the grade '" + number + "' is no number",
          () -> Judgements.read(run, notes::add));
    }
    notes.clear();
    Path folderWithSpace = Files.createDirectories(folder.resolve("my data"));
    Path named =
        Files.writeString(
            folderWithSpace.resolve("run.jsonl"),
            """
            {"QID": "q", "passage_id": "d", "score": 1e-3}
            {"QID": "q", "passage_id": "e", "score": "+.5"}
            """);
    assertEquals(
        List.of("e", "d"),
        FirstStage.read(named, notes::add).byQuery().get("q").stream()
            .map(FirstStage.Hit::document)
            .toList());
    assertEquals(List.of(named + ":1: column 'QID' is taken for 'qid'"), notes);
    assertEquals(0.001, Judgements.read(named, n -> {}).byQuery().get("q").get("d").grade());
  }

  @Test
  void equalScoresOfARunAreThoseOfThirtyTwoBits() throws IOException {
    Path run =
        file(
            "run.trec",
            "q Q0 a 1 0.30000000001 x",
            "q Q0 b 2 0.3 x",
            "q Q0 c 3 -0.0 x",
            "q Q0 d 4 0.0 x",
            "q Q0 e 5 1e-60 x");
    assertEquals(
        List.of("b", "a", "e", "d", "c"),
        FirstStage.read(run, notes::add).byQuery().get("q").stream()
            .map(FirstStage.Hit::document)
            .toList());
  }

  private static void assertRefused(
      String words, org.junit.jupiter.api.function.Executable reading) {
    LoraGraphException e = assertThrows(LoraGraphException.class, reading);
    assertTrue(e.getMessage().startsWith(words), e.getMessage());
  }

  @Test
  void whatIsLeftOutIsSaid() throws IOException {
    Path corpus = file("corpus.tsv", "id\ttext", "1\tone", "2\ttwo");
    Path queries = file("queries.tsv", "id\ttext", "a\tA", "b\tB", "c\tC");
    Path judgements =
        file("qrels.tsv", "query-id\tcorpus-id\tscore", "a\t1\t1", "b\t2\t0", "x\t2\t1");
    SearchSet set = read(corpus, queries, judgements);
    assertEquals(List.of("a"), set.queryIds());
    assertEquals(
        List.of(
            judgements
                + ": 1 of 3 judged queries are not in "
                + queries
                + " and are left out (the first: 'x')",
            queries
                + ": 2 of 3 queries have no relevant document in "
                + judgements
                + " and are left out (the first: 'b')"),
        notes);
  }

  @Test
  void badInputIsRefusedWithItsLine() throws IOException {
    Path corpus = file("corpus.tsv", "id\ttext", "1\tone", "2\ttwo");
    Path queries = file("queries.tsv", "id\ttext", "a\tA");
    Path good = file("qrels.tsv", "query-id\tcorpus-id\tscore", "a\t1\t1");
    refused(
        file("twice.tsv", "id\ttext", "1\tone", "1\ttwo"),
        queries,
        good,
        "twice.tsv:3: the id '1' was there before, as document 1: give each document its own");
    refused(file("none.tsv", "id\ttext"), queries, good, "none.tsv holds no examples");
    refused(
        file("blank.jsonl", "{\"_id\": \"1\", \"text\": \"\"}"),
        queries,
        good,
        "blank.jsonl has no text in any document");
    refused(
        file("untitled.jsonl", "{\"_id\": \"1\", \"words\": \"a\"}"),
        queries,
        good,
        "untitled.jsonl:1 has no 'text'; it has _id, words");
    refused(
        file("wide.tsv", "1\thttp://a\ta title\ta text", "2\ta\tb\tc"),
        queries,
        good,
        "wide.tsv:2 has no 'id'");
    refused(
        corpus,
        file("queries2.tsv", "id\ttext", "a\tA", "a\tB"),
        good,
        "queries2.tsv:3: the id 'a' was there before, at " + folder.resolve("queries2.tsv:2"));
    refused(
        corpus,
        file("queries3.tsv", "id\ttext", "a\t"),
        good,
        "queries3.tsv:2: query 'a' is empty");
    refused(
        corpus,
        queries,
        file("qrels2.tsv", "query-id\tcorpus-id\tscore", "a\t1\tgood"),
        "qrels2.tsv:2: the grade 'good' is no number");
    refused(
        corpus,
        queries,
        file("qrels3.tsv", "query-id\tcorpus-id\tscore", "a\t1\t1", "a\t9\t1"),
        "qrels3.tsv:3 judges document '9', which is not in " + corpus);
    refused(
        corpus,
        queries,
        file("qrels4.tsv", "query-id\tcorpus-id\tscore", "a\t1\t1", "a\t1\t2"),
        "qrels4.tsv:3 judges document '1' for query 'a', and so does ");
    refused(
        corpus,
        queries,
        file("qrels5.tsv", "query-id\tcorpus-id\tscore", "a\t1\t0"),
        "qrels5.tsv has no relevant document for any query of " + queries);
    refused(
        corpus,
        queries,
        file("qrels6.tsv", "query-id\tcorpus-id\tscore", "A\t1\t1"),
        "qrels6.tsv judges no query of " + queries);
    refused(
        corpus,
        queries,
        file("qrels7.tsv", "q\td\tr", "a\t1\t1"),
        "qrels7.tsv:2 has no 'query-id'");
  }

  private void refused(Path corpus, Path queries, Path judgements, String words) {
    LoraGraphException refusal =
        assertThrows(LoraGraphException.class, () -> read(corpus, queries, judgements));
    assertTrue(refusal.getMessage().contains(words), refusal.getMessage());
    assertTrue(refusal.getMessage().startsWith(folder.toString()), refusal.getMessage());
  }

  /** More documents than a block has, read as a stream and held in memory. */
  @Test
  void blocksAndMemoryGiveTheSameFigures() throws IOException {
    int size = Corpus.BLOCK * 2 + 5;
    Path corpus =
        file(
            "corpus.tsv",
            IntStream.range(-1, size)
                .mapToObj(i -> i < 0 ? "id\ttext" : "d%d\ttext %d".formatted(i, i))
                .toArray(String[]::new));
    SearchSet set =
        read(
            corpus,
            file("queries.tsv", "id\ttext", "a\ttext 17", "b\ttext 8190"),
            file(
                "qrels.tsv", "query-id\tcorpus-id\tscore", "a\td17\t1", "b\td1\t1", "b\td8196\t2"));
    List<Long> heard = new ArrayList<>();
    RetrievalReport streamed =
        set.report(SearchSetTest::vectors, SearchSetTest::vectors, (done, all) -> heard.add(done));
    assertEquals(List.of(4096L, 8192L, 8197L), heard);
    EmbeddingMeasure measure = set.measure();
    assertEquals(
        measure.report(vectors(measure.queries()), vectors(measure.documents())), streamed);
    assertEquals(size, streamed.documents());
    // The text itself is found first; the others are anywhere.
    assertEquals(0.5, streamed.ranking().recall1());
    assertTrue(streamed.ranking().averagePrecision() > 0.5);
  }

  /** A direction for each text. */
  private static float[][] vectors(List<Row> texts) {
    return texts.stream()
        .map(
            row -> {
              int number = Integer.parseInt(String.valueOf(row.text()).substring(5));
              return new float[] {
                3 * (float) Math.cos(number),
                3 * (float) Math.sin(number),
                (float) Math.cos(number / 7.0)
              };
            })
        .toArray(float[][]::new);
  }
}
