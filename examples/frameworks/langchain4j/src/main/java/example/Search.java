package example;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.onnx.OnnxEmbeddingModel;
import dev.langchain4j.model.embedding.onnx.PoolingMode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Loads a tuned encoder in LangChain4j and compares its vectors with those that lora-graph wrote. */
public final class Search {
  private static final double TOLERANCE = 1e-5;

  private Search() {}

  /**
   * Compares.
   *
   * @param args the folder of the model, and what {@code lora-graph embed} wrote with it
   */
  public static void main(String[] args) throws IOException {
    Path folder = Path.of(args.length > 0 ? args[0] : "../tune/search");
    Path vectors = Path.of(args.length > 1 ? args[1] : "../tune/vectors.jsonl");
    EmbeddingModel model =
        new OnnxEmbeddingModel(
            folder.resolve("model.onnx"), folder.resolve("tokenizer.json"), PoolingMode.MEAN);

    double largest = 0;
    int count = 0;
    for (String line : Files.readAllLines(vectors)) {
      JsonNode expected = new ObjectMapper().readTree(line);
      float[] vector = model.embed(expected.get("text").asText()).content().vector();
      JsonNode numbers = expected.get("embedding");
      if (numbers.size() != vector.length) {
        throw new IllegalStateException(numbers.size() + " numbers, not " + vector.length);
      }
      for (int i = 0; i < vector.length; i++) {
        largest = Math.max(largest, Math.abs(vector[i] - numbers.get(i).asDouble()));
      }
      count++;
    }
    if (!(largest <= TOLERANCE) || count == 0) {
      throw new IllegalStateException(count + " vectors, largest difference " + largest);
    }
    System.out.printf(
        Locale.ROOT, "LangChain4j: %d vectors, largest difference %.1e%n", count, largest);
  }
}
