package io.github.loragraph.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.RankedDocument;
import io.github.loragraph.Ranking;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Rankings for people and pipes, for programs and for files.
 *
 * @param namesQuery whether each line begins with its query
 */
record RankingOutput(Ranking ranking, boolean namesQuery) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** A line for each document: rank, score, document, divided by tabs. */
  void printTo(PrintWriter out) {
    int rank = 0;
    for (RankedDocument document : ranking.documents()) {
      rank++;
      out.print(
          "%s%s\t%s\t%s\n"
              .formatted(
                  namesQuery ? PredictionLines.escaped(ranking.query()) + "\t" : "",
                  rank,
                  String.format(Locale.ROOT, "%.4f", document.score()),
                  PredictionLines.escaped(document.text())));
    }
  }

  Map<String, Object> json() {
    List<Map<String, Object>> documents = new ArrayList<>();
    for (RankedDocument document : ranking.documents()) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("rank", documents.size() + 1);
      entry.put("index", document.index());
      entry.put("score", document.score());
      entry.put("document", document.text());
      documents.add(entry);
    }
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("query", ranking.query());
    json.put("documents", documents);
    return json;
  }

  /** The rows of a file of rankings. */
  List<Map<String, JsonNode>> rows() {
    List<Map<String, JsonNode>> rows = new ArrayList<>();
    for (RankedDocument document : ranking.documents()) {
      Map<String, JsonNode> row = new LinkedHashMap<>();
      row.put("query", JSON.valueToTree(ranking.query()));
      row.put("document", JSON.valueToTree(document.text()));
      row.put("predicted_rank", JSON.valueToTree(rows.size() + 1));
      row.put("predicted_score", JSON.valueToTree(document.score()));
      rows.add(row);
    }
    return rows;
  }
}
