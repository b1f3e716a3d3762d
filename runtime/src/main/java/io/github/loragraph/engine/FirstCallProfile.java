package io.github.loragraph.engine;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.TemporaryFolder;
import io.github.loragraph.ort.NodePlacement;
import io.github.loragraph.ort.OrtFailure;
import io.github.loragraph.ort.SessionProfile;
import io.github.loragraph.ort.Sessions;
import java.nio.file.Path;

/**
 * Records the first call of a session and holds that all its compute nodes ran where they should:
 * one that falls to the CPU in the middle of a GPU's work costs copies in every step, and nothing
 * else tells. The engine that makes it closes it.
 */
final class FirstCallProfile implements AutoCloseable {
  private final TemporaryFolder folder = TemporaryFolder.create("lora-graph-profile-");
  private final String provider;

  /**
   * @param provider as {@link NodePlacement} names it
   */
  FirstCallProfile(String provider) {
    this.provider = provider;
  }

  /** Sessions that record until {@link #check}. */
  Sessions recording(Sessions sessions) {
    return sessions.withProfile(folder.path().resolve("step"));
  }

  /**
   * Ends the record, after the first call.
   *
   * @throws LoraGraphException if a compute node ran elsewhere; it names the first of them
   */
  void check(OrtSession session) {
    try {
      NodePlacement.of(SessionProfile.read(Path.of(session.endProfiling()))).requireAllOn(provider);
    } catch (OrtException e) {
      throw OrtFailure.of("ONNX Runtime cannot write its profile", e);
    } finally {
      close();
    }
  }

  @Override
  public void close() {
    folder.close();
  }
}
