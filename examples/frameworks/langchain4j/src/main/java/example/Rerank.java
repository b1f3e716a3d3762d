package example;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.langchain4j.model.scoring.ScoringModel;
import dev.langchain4j.model.scoring.onnx.OnnxScoringModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Loads a reranker in LangChain4j and compares its scores with those that lora-graph wrote. */
public final class Rerank {
  private static final double TOLERANCE = 1e-5;

  private Rerank() {}

  /**
   * Compares.
   *
   * @param args the folder of the model, and what {@code lora-graph predict} wrote with it
   */
  public static void main(String[] args) throws IOException, OrtException {
    Path folder = Path.of(args.length > 0 ? args[0] : "../tune/reranker");
    Path scores = Path.of(args.length > 1 ? args[1] : "../tune/scores.jsonl");
    ScoringModel model =
        new OnnxScoringModel(
            folder.resolve("model.onnx").toString(),
            new OrtSession.SessionOptions(),
            folder.resolve("tokenizer.json").toString(),
            /* tokens of a pair */ 510,
            /* scores from 0 to 1 */ true);

    double largest = 0;
    int count = 0;
    for (String line : Files.readAllLines(scores)) {
      JsonNode expected = new ObjectMapper().readTree(line);
      double score =
          model
              .score(expected.get("document").asText(), expected.get("query").asText())
              .content();
      largest = Math.max(largest, Math.abs(score - expected.get("predicted_score").asDouble()));
      count++;
    }
    if (!(largest <= TOLERANCE) || count == 0) {
      throw new IllegalStateException(count + " scores, largest difference " + largest);
    }
    System.out.printf(
        Locale.ROOT, "LangChain4j: %d scores, largest difference %.1e%n", count, largest);
  }
}
