package io.github.loragraph.sagemaker;

import io.github.loragraph.data.DataFile;
import java.util.List;

/** Names that who submits a job, the platform and the container agree on. */
public final class PlatformNames {
  /** The channel of the files to train on. */
  public static final String TRAIN = "train";

  /** The channel of what is held out. */
  public static final String VALIDATION = "validation";

  /** The channel of the model. */
  public static final String MODEL = "model";

  /** All channels that a container takes. */
  public static final List<String> CHANNELS = List.of(TRAIN, VALIDATION, MODEL);

  /** The variable that names another folder than the platform's, for tries without it. */
  public static final String BASE_FOLDER = "SAGEMAKER_BASE_DIR";

  private static final String OF_PLATFORM = "sagemaker_";
  private static final String OBJECTIVE = "_tuning_objective_metric";

  private PlatformNames() {}

  /** Whether a container takes a file of that name for data. */
  public static boolean isData(String file) {
    return DataFile.isOne(file);
  }

  /** Whether a hyperparameter is the platform's own, and says nothing to a training. */
  public static boolean isOfPlatform(String hyperparameter) {
    return hyperparameter.startsWith(OF_PLATFORM) || hyperparameter.equals(OBJECTIVE);
  }
}
